// Nodes that other nodes name: `exit_via` and `peers`. A node's settings hold in all its networks,
// so a name is good if one of those networks has it.
#include <fmt/format.h>

#include <set>
#include <unordered_map>
#include <unordered_set>

#include "mesh/check/checks.hpp"
#include "mesh/check/nearest_name.hpp"

namespace wgkit::mesh {

namespace {

template <class Visit>
void for_each_reference(const Node& node, const Visit& visit) {
    if (node.exit_via) visit(*node.exit_via);
    for (const auto& peer : node.peers) visit(peer.peer);
}

bool has_references(const Network& network) {
    for (const auto& node : network.nodes)
        if (node.exit_via || !node.peers.empty()) return true;
    return false;
}

} // namespace

void check_references(const Inventory& inventory, Diagnostics& diagnostics) {
    std::set<std::pair<std::string_view, Mark>> good; // who names it, and where
    std::vector<std::string_view> names;
    for (const auto& network : inventory.networks) {
        if (!has_references(network)) continue;
        std::unordered_set<std::string_view> here;
        for (const auto& node : network.nodes) here.insert(node.name.value);
        names.insert(names.end(), here.begin(), here.end());
        for (const auto& node : network.nodes)
            for_each_reference(node, [&](const Located<std::string>& reference) {
                if (here.contains(reference.value)) good.emplace(node.name.value, reference.mark);
            });
    }
    NearestName nearest(std::move(names));
    for (const auto& network : inventory.networks)
        for (const auto& node : network.nodes)
            for_each_reference(node, [&](const Located<std::string>& reference) {
                if (good.contains({node.name.value, reference.mark})) return;
                diagnostics
                    .error("unknown-node", reference.mark,
                           fmt::format("no node '{}'", reference.value))
                    .hint = nearest.hint(reference.value);
            });
}

} // namespace wgkit::mesh
