// Nodes that are in several networks: each needs an interface and a port a network, and pools that
// do not overlap.
#include <fmt/format.h>

#include <map>
#include <unordered_map>
#include <vector>

#include "mesh/check/checks.hpp"

namespace wgkit::mesh {

namespace {

struct Membership {
    const Network* network;
    const Node* node;
};

/// What two networks have in common on some node. Interfaces and ports mostly come from shared
/// settings, so that one mistake hits every node: it is reported once, with the number of nodes.
struct Clash {
    const char* code;
    Mark mark;
    Mark other;
    std::string what;
    const Network* first;
    const Network* second;
    std::string node;
    std::size_t nodes;
};

using Clashes = std::map<std::tuple<std::string_view, Mark, Mark>, Clash>;

Mark port_mark(const Node& node) {
    if (node.marks.port.line != 0) return node.marks.port;
    for (const auto& underlay : node.underlays)
        if (underlay.endpoint) return underlay.endpoint->mark;
    return node.name.mark;
}

Mark interface_mark(const Membership& at) {
    return at.node->marks.interface.line != 0 ? at.node->marks.interface : at.network->name.mark;
}

void compare(const Membership& first, const Membership& second, Clashes& clashes) {
    const auto add = [&](const char* code, Mark other, Mark mark, std::string what) {
        const std::string& node = second.node->name.value;
        auto [at, is_new] =
            clashes.try_emplace({code, mark, other}, Clash{code, mark, other, std::move(what),
                                                           first.network, second.network, node, 0});
        ++at->second.nodes;
    };
    if (!first.node->managed || !second.node->managed) return;
    if (first.node->interface == second.node->interface)
        add("duplicate-interface", interface_mark(first), interface_mark(second),
            "interface " + second.node->interface);
    if (first.node->port && first.node->port == second.node->port)
        add("duplicate-port", port_mark(*first.node), port_mark(*second.node),
            fmt::format("port {}", *second.node->port));
}

void report(const Clash& clash, Diagnostics& d) {
    const std::string others =
        clash.nodes == 1 ? "" : fmt::format(" (and {} other nodes)", clash.nodes - 1);
    auto& found =
        d.error(clash.code, clash.mark,
                fmt::format("{}{} has {} in both networks, {} and {}", clash.node, others,
                            clash.what, clash.first->name.value, clash.second->name.value));
    if (clash.other != clash.mark)
        found.notes.push_back(
            {{}, clash.other, fmt::format("{} has it from here", clash.first->name.value)});
    found.hint = "set it for each network, or under `networks:` of the node";
}

void compare_pools(const Network& first, const Network& second, Diagnostics& d) {
    for (const auto pool : {&Network::ipv4, &Network::ipv6}) {
        const auto& one = first.*pool;
        const auto& two = second.*pool;
        if (!one || !two) continue;
        if (!one->value.contains(two->value) && !two->value.contains(one->value)) continue;
        auto& found = d.error("overlapping-pools", two->mark,
                              fmt::format("the pools {} of {} and {} of {} overlap, and nodes are "
                                          "in both networks",
                                          to_string(one->value), first.name.value,
                                          to_string(two->value), second.name.value));
        found.notes.push_back({{}, one->mark, "the other pool is here"});
        found.hint = "give each network a range of its own";
    }
}

} // namespace

void check_shared_nodes(const Inventory& inventory, Diagnostics& diagnostics) {
    if (inventory.networks.size() < 2) return;
    std::unordered_map<std::string_view, std::vector<Membership>> memberships;
    std::map<std::pair<const Network*, const Network*>, bool> sharing;
    Clashes clashes;
    for (const auto& network : inventory.networks) {
        for (const auto& node : network.nodes) {
            auto& earlier = memberships[node.name.value];
            const Membership here{&network, &node};
            for (const auto& other : earlier) {
                if (other.network == &network) continue; // a duplicate name, reported as such
                sharing[{other.network, &network}] = true;
                compare(other, here, clashes);
            }
            earlier.push_back(here);
        }
    }
    for (const auto& [key, clash] : clashes) report(clash, diagnostics);
    for (const auto& [pair, shared] : sharing)
        compare_pools(*pair.first, *pair.second, diagnostics);
}

} // namespace wgkit::mesh
