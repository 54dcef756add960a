// Paths and AllowedIPs of small random fleets agree with each other, whoever is asked.
#include <fmt/format.h>

#include <random>

#include "support/catch.hpp"
#include "wgkit/mesh.hpp"

using namespace wgkit;
using namespace wgkit::mesh;

namespace {

constexpr Date planned_on{std::chrono::days(20000)};

std::string random_fleet(std::mt19937& random) {
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    static const char* const topologies[] = {
        "full-mesh",
        "site-to-site",
        "[{hub: [n0, n1], spokes: all}]",
        "[{hub: [n0], spokes: [\"tag:a\"]}, {mesh: [\"tag:b\", n0]}]",
        "[{mesh: [\"tag:a\"]}, {links: [[n1, n2], [n0, n3]]}]",
        "[{hub: [n1, n0], spokes: [\"tag:a\"]}, {mesh: all}]"};
    std::string text = fmt::format("version: 1\nnetwork: {{name: n, ipv4: 10.0.0.0/24, ipv6: "
                                   "fd00::/64, topology: {}}}\nnodes:\n",
                                   topologies[below(6)]);
    const unsigned count = 4 + below(6);
    const bool exits = below(3) == 0;
    for (unsigned i = 0; i < count; ++i) {
        text += fmt::format("  - {{name: n{}, tags: [{}]", i, i == 2 || below(2) ? "a, b" : "b");
        if (below(3) == 0) text += fmt::format(", routes: [192.168.{}.0/24]", i);
        const auto underlay = [&](const char* name, unsigned net) {
            return below(2) ? fmt::format("{{name: {}, endpoint: 192.0.{}.{}:1}}", name, net, i)
                            : fmt::format("{{name: {}}}", name);
        };
        switch (below(4)) {
        case 0:
            text += fmt::format(", underlays: [{}, {}]", underlay("lan", 2), underlay("wan", 3));
            break;
        case 1:
            text += fmt::format(", underlays: [{}]", underlay("wan", 3));
            break;
        default:
            text += fmt::format(", underlays: [{}, {}]", underlay("wan", 3), underlay("lan", 2));
        }
        if (below(5) == 0) text += ", relay: true";
        if (exits && i == 3) text += ", exit: true";
        if (exits && i > 3 && below(2) == 0) text += ", exit_via: n3";
        text += "}\n";
    }
    return text;
}

/// Whose AllowedIPs of a node hold an address: what the kernel would send it to.
std::optional<NodeIndex> route(const std::vector<Peer>& peers, const IpAddress& address) {
    std::optional<NodeIndex> best;
    int longest = -1;
    for (const auto& peer : peers)
        for (const auto& prefix : peer.allowed_ips())
            if (prefix.contains(address) && prefix.length > longest) {
                longest = prefix.length;
                best = peer.node;
            }
    return best;
}

} // namespace

TEST_CASE("AllowedIPs follow the paths in both directions") {
    std::mt19937 random(7);
    std::size_t seen[5] = {};
    for (int round = 0; round < 400; ++round) {
        const std::string text = random_fleet(random);
        const auto parsed = parse_inventory(text, "count.yaml");
        REQUIRE(parsed.diagnostics.empty());
        const Network& network = parsed.inventory.networks.front();
        Diagnostics d;
        const auto lock = reconcile(network, {}, planned_on, d);
        REQUIRE(d.empty());
        const Plan plan(network, lock, planned_on);
        std::vector<std::vector<Peer>> peers;
        for (NodeIndex i = 0; i < plan.size(); ++i) peers.push_back(plan.peers(i));
        for (NodeIndex a = 0; a < plan.size(); ++a) {
            for (NodeIndex b = 0; b < plan.size(); ++b) {
                if (a == b) continue;
                INFO(text << "from " << a << " to " << b);
                const Path there = plan.path(a, b);
                const Path back = plan.path(b, a);
                ++seen[static_cast<int>(there.kind)];
                if (there.kind == Path::Kind::none || there.kind == Path::Kind::exit) continue;
                CHECK(there.kind == back.kind);
                if (there.kind != Path::Kind::direct) CHECK(there.via == back.via);
                const NodeIndex first = there.kind == Path::Kind::direct ? b : there.via;
                for (const auto& address : plan.member(b).addresses)
                    CHECK(route(peers[a], address.address) == first);
                for (const auto& subnet : plan.member(b).routes)
                    CHECK(route(peers[a], subnet.address) == first);
                if (first != b)
                    for (const auto& address : plan.member(b).addresses)
                        CHECK(route(peers[first], address.address) == b);
            }
        }
    }
    for (const auto count : seen) CHECK(count > 0);
}
