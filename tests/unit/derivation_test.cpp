#include "agent/derivation.hpp"

#include <algorithm>
#include <random>

#include "support/catch.hpp"
#include "support/trust_world.hpp"

using namespace wgkit;
using namespace wgkit::agent;
using test::TrustWorld;

namespace {

constexpr mesh::Date today{};

trust::FleetObject fleet_object(std::string_view more = "") {
    return {R"({"version":"1","network":{"name":"corp","ipv4":"10.0.0.0/16"})" + std::string(more)
                + "}",
            {}};
}

trust::NodeRecord node_at(int number) {
    auto record =
        TrustWorld::node("n" + std::to_string(number), "10.0." + std::to_string(number / 200) + "."
                                                           + std::to_string(number % 200 + 1));
    record.fields = R"({"endpoint":"192.0.2.)" + std::to_string(number % 250 + 1) + R"(:51820"})";
    return record;
}

/// The text of a configuration whose peers are in the order of their keys.
SecretString sorted_text(config::Config& config) {
    std::sort(config.peers.begin(), config.peers.end(), [](const auto& a, const auto& b) {
        return to_string(a.public_key) < to_string(b.public_key);
    });
    return config::write(config);
}

struct Life {
    trust::FleetObject fleet = fleet_object();
    std::vector<trust::NodeRecord> nodes;
    PrivateKey key = generate_private_key();
    Derivation derivation;

    Life() {
        for (int i = 0; i < 6; ++i) nodes.push_back(node_at(i));
        nodes[2].key = public_key(key);
    }
    /// Whether what follows step by step is what follows at once.
    bool agrees(std::span<const trust::NodeRecord> admitted = {}) {
        std::sort(nodes.begin(), nodes.end(),
                  [](const auto& a, const auto& b) { return a.name < b.name; });
        std::vector<std::string> out, other_out;
        const auto got = derivation.derive(fleet, nodes, admitted, "n2", key, today, out);
        Derivation fresh;
        const auto wanted = fresh.derive(fleet, nodes, admitted, "n2", key, today, other_out);
        if (!got || !wanted) return got.has_value() == wanted.has_value();
        return (*got)->interface == (*wanted)->interface && out == other_out
               && sorted_text((*got)->config) == sorted_text((*wanted)->config);
    }
};

} // namespace

TEST_CASE("a node's configuration follows step by step as it does at once") {
    Life life;
    std::mt19937 random(7);
    CHECK(life.agrees());
    int next = 6;
    for (int step = 0; step < 60; ++step) {
        const auto at = random() % life.nodes.size();
        switch (random() % 4) {
        case 0:
            life.nodes.push_back(node_at(next++));
            break;
        case 1:
            if (life.nodes[at].name != "n2" && life.nodes.size() > 3)
                life.nodes.erase(life.nodes.begin() + static_cast<std::ptrdiff_t>(at));
            break;
        case 2:
            if (life.nodes[at].name != "n2")
                life.nodes[at].key = public_key(generate_private_key());
            break;
        default:
            if (life.nodes[at].name != "n2")
                life.nodes[at].fields =
                    R"({"endpoint":"198.51.100.)" + std::to_string(step + 1) + R"(:51820"})";
        }
        INFO(step);
        REQUIRE(life.agrees());
    }
    CHECK(life.derivation.full_runs() == 1);
}

TEST_CASE("what concerns more than two nodes is composed as a whole") {
    Life life;
    REQUIRE(life.agrees());
    SECTION("the fleet's part") {
        life.fleet = fleet_object(R"(,"defaults":{"keepalive":"15"})");
        CHECK(life.agrees());
        CHECK(life.derivation.full_runs() == 2);
    }
    SECTION("this node itself") {
        life.nodes[2].fields = R"({"port":"51999"})";
        CHECK(life.agrees());
        CHECK(life.derivation.full_runs() == 2);
    }
    SECTION("who came by join key with another's endpoint") {
        auto thief = node_at(9);
        thief.fields = life.nodes[0].fields;
        CHECK(life.agrees({&thief, 1}));
        CHECK(life.derivation.full_runs() == 2);
        CHECK(life.agrees());
    }
    SECTION("hubs") {
        life.fleet.nodes_yaml =
            R"({"version":"1","network":{"name":"corp","ipv4":"10.0.0.0/16","topology":"hub-and-spoke"}})";
        life.nodes[0].fields = R"({"endpoint":"192.0.2.1:51820","tags":["hub"]})";
        CHECK(life.agrees());
        life.nodes.push_back(node_at(10));
        CHECK(life.agrees());
        CHECK(life.derivation.full_runs() == 3);
    }
}
