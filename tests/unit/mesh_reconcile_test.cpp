#include <fmt/format.h>

#include "support/catch.hpp"
#include "wgkit/mesh.hpp"

using namespace wgkit;
using namespace wgkit::mesh;

namespace {

constexpr Date reconciled_on{std::chrono::days(20000)};

/// `nodes`: flow mappings without their braces, e.g. "name: a, ipv4: 10.0.0.9".
Network network(const std::vector<std::string>& nodes) {
    std::string text =
        "version: 1\nnetwork: {name: n, ipv4: 10.0.0.0/24, ipv6: fd00::/64}\nnodes:\n";
    for (const auto& node : nodes) text += "  - {" + node + "}\n";
    auto parsed = parse_inventory(text, "nodes.yaml");
    REQUIRE(parsed.diagnostics.empty());
    return parsed.inventory.networks.front();
}

LockedNetwork run(const std::vector<std::string>& nodes, const LockedNetwork& before = {},
                  Date day = reconciled_on) {
    Diagnostics d;
    auto after = reconcile(network(nodes), before, day, d);
    CHECK(d.empty());
    return after;
}

std::string ipv4(const LockedNetwork& lock, std::string_view name) {
    return to_string(*lock.find(name)->ipv4);
}

} // namespace

TEST_CASE("addresses are the lowest free ones, and alike in both families") {
    const auto lock = run({"name: a", "name: b, ipv4: 10.0.0.1", "name: c"});
    CHECK(ipv4(lock, "a") == "10.0.0.2");
    CHECK(ipv4(lock, "b") == "10.0.0.1");
    CHECK(to_string(*lock.find("a")->ipv6) == "fd00::2");
    CHECK(to_string(*lock.find("b")->ipv6) == "fd00::1");
}

TEST_CASE("adding and removing nodes changes no other") {
    const auto first = run({"name: a", "name: b", "name: c"});
    const auto second = run({"name: new", "name: c", "name: a"}, first);
    CHECK(ipv4(second, "a") == ipv4(first, "a"));
    CHECK(ipv4(second, "c") == ipv4(first, "c"));
    CHECK(ipv4(second, "new") == "10.0.0.4");
    REQUIRE(second.tombstones.size() == 1);
}

TEST_CASE("a freed address stays unused for 30 days") {
    const auto freed = run({"name: b"}, run({"name: a", "name: b"}));
    CHECK(ipv4(run({"name: b", "name: c"}, freed, reconciled_on + std::chrono::days(29)), "c")
          == "10.0.0.3");
    CHECK(ipv4(run({"name: b", "name: c"}, freed, reconciled_on + std::chrono::days(30)), "c")
          == "10.0.0.1");
}

TEST_CASE("an address that its node gave up stays unused as long") {
    const auto moved = run({"name: a, ipv4: 10.0.0.9", "name: b"}, run({"name: a", "name: b"}));
    CHECK(ipv4(moved, "a") == "10.0.0.9");
    const std::vector<std::string> more{"name: a, ipv4: 10.0.0.9", "name: b", "name: c"};
    const auto next_day = run(more, moved, reconciled_on + std::chrono::days(1));
    CHECK(ipv4(next_day, "c") == "10.0.0.3");
    CHECK(ipv4(run(more, moved, reconciled_on + std::chrono::days(30)), "c") == "10.0.0.1");
    const auto left = run({"name: b"}, next_day, reconciled_on + std::chrono::days(2));
    REQUIRE(left.tombstones.size() == 2); // a once, and c
    CHECK(to_string(*left.tombstones.front().ipv4) == "10.0.0.9");
}

TEST_CASE("a node that comes back gets its address, unless its owner gave it away") {
    const auto freed = run({"name: b"}, run({"name: a", "name: b"}));
    CHECK(ipv4(run({"name: b", "name: a"}, freed), "a") == "10.0.0.1");
    const auto taken = run({"name: b", "name: x, ipv4: 10.0.0.1"}, freed);
    CHECK(ipv4(run({"name: b", "name: x, ipv4: 10.0.0.1", "name: a"}, taken), "a") == "10.0.0.3");
}

TEST_CASE("a new node starts on the newest PSK epoch: the masters of older ones may be erased") {
    auto lock = run({"name: a", "name: b"});
    lock.nodes.front().psk_epoch = 2;
    lock.nodes.back().psk_epoch = 3;
    const auto after = run({"name: a", "name: b", "name: c"}, lock);
    CHECK(after.find("a")->psk_epoch == 2);
    CHECK(after.find("c")->psk_epoch == 3);
}

TEST_CASE("what the lock knows of the PSK master stays, also as text") {
    auto lock = run({"name: a"});
    lock.psk_master = LockedMaster{2, "0123456789012345", reconciled_on};
    const auto after = run({"name: a", "name: b"}, lock);
    CHECK(after.psk_master == lock.psk_master);
    const auto again = parse_lock(to_text(Lock{{after}}), "nodes.lock.yaml");
    CHECK(again.diagnostics.empty());
    CHECK(again.lock.networks.front().psk_master == lock.psk_master);
}
