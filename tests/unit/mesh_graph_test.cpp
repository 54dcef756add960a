#include <algorithm>

#include "support/catch.hpp"
#include "util/aggregate.hpp"
#include "wgkit/mesh_views.hpp"

using namespace wgkit;
using namespace wgkit::mesh;

namespace {

Fleet mesh_of(int count) {
    std::string text = "version: 1\nnetwork: {name: n, ipv4: 10.0.0.0/16}\nnodes:\n";
    for (int i = 0; i < count; ++i)
        text += "  - {name: n" + std::to_string(i) + ", endpoint: \"h" + std::to_string(i)
                + ".example.org:1\"}\n";
    return load_text(Paths::beside("nodes.yaml"), text, {}, Date{});
}

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
    std::vector<Prefix> list;
    for (const auto* text : texts) list.push_back(*Prefix::parse(text));
    return list;
}

} // namespace

TEST_CASE("a full mesh is one statement and n(n-1)/2 edges") {
    const auto fleet = mesh_of(10);
    const auto graphs = make_graphs(fleet);
    REQUIRE(graphs.size() == 1);
    CHECK(graphs[0].links == 45);
    CHECK(graphs[0].edges.size() == 45);
    const auto text = to_text(graphs);
    CHECK(std::count(text.begin(), text.end(), '\n') < 5);
}

TEST_CASE("a mesh too large for a picture becomes one group that knows its links") {
    const auto fleet = mesh_of(300);
    const auto graphs = make_graphs(fleet);
    CHECK(graphs[0].aggregated);
    REQUIRE(graphs[0].nodes.size() == 1);
    CHECK(graphs[0].nodes[0].members == 300);
    CHECK(graphs[0].nodes[0].links == 300 * 299 / 2);
    CHECK(to_svg(graphs).size() < 10'000);
}

TEST_CASE("prefixes are joined without gaining or losing an address") {
    CHECK(aggregate(prefixes({"10.0.1.0/24", "10.0.0.0/24", "10.0.0.5/32"}))
          == prefixes({"10.0.0.0/23"}));
    CHECK(aggregate(prefixes({"10.0.1.0/24", "10.0.2.0/24"}))
          == prefixes({"10.0.1.0/24", "10.0.2.0/24"}));
    CHECK(aggregate(prefixes({"0.0.0.0/1", "128.0.0.0/1", "::/0"}))
          == prefixes({"0.0.0.0/0", "::/0"}));
}
