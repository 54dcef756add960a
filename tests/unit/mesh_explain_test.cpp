#include "support/catch.hpp"
#include "wgkit/mesh_views.hpp"

using namespace wgkit::mesh;

namespace {

Fleet fleet_of(const std::string& fleet_text) {
    return load_text(Paths::beside("nodes.yaml"),
                     "version: 1\nnetwork: {name: n, ipv4: 10.0.0.0/24, topology: [{hub: [hub], "
                     "spokes: [a, b]}, {links: [c, d]}]}\nnodes:\n"
                         + fleet_text,
                     {}, Date{});
}

const char* const fleet_text =
    "  - {name: hub, endpoint: \"192.0.2.1:1\"}\n  - {name: a}\n  - {name: b}\n"
    "  - {name: c}\n  - {name: d}\n  - {name: r, endpoint: \"192.0.2.2:1\"";

} // namespace

TEST_CASE("two spokes reach each other through their hub, both ways") {
    const auto fleet = fleet_of(std::string(fleet_text) + "}\n");
    const auto found = explain(fleet, "a", "b");
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    for (const auto* way : {&found->front().there, &found->front().back}) {
        CHECK(way->kind == Path::Kind::hub);
        REQUIRE(way->hops.size() == 2);
        CHECK(way->hops[0].to == "hub");
        REQUIRE(way->hops[0].carriers.size() == 1);
        CHECK(to_string(*way->hops[0].carriers[0].entry) == "10.0.0.0/24");
        CHECK(way->hops[0].keepalive == 25);
        CHECK_FALSE(way->hops[1].endpoint);
    }
}

TEST_CASE("a pair that nobody can call needs a relay, and is told so") {
    const auto without = fleet_of(std::string(fleet_text) + "}\n");
    if (without.diagnostics.errors() == 0) { // check may refuse such a fleet altogether
        const auto lost = explain(without, "c", "d");
        REQUIRE(lost);
        CHECK(lost->front().there.kind == Path::Kind::none);
        CHECK(lost->front().there.why.find("neither has an endpoint") != std::string::npos);
    }
    const auto with = fleet_of(std::string(fleet_text) + ", relay: true}\n");
    const auto found = explain(with, "c", "d");
    REQUIRE(found);
    CHECK(found->front().there.kind == Path::Kind::relay);
    CHECK(found->front().there.hops.front().to == "r");
}

TEST_CASE("explain names an unknown node") {
    const auto fleet = fleet_of(std::string(fleet_text) + ", relay: true}\n");
    CHECK(explain(fleet, "a", "nobody").error().message == "nodes.yaml has no node 'nobody'");
    CHECK(explain(fleet, "a", "a").error().code == wgkit::Errc::invalid);
}
