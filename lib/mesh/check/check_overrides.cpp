// `allowed_ips` of an override that another peer of the same node has, too: WireGuard gives a
// prefix to one peer only, the last that lists it.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "mesh/check/checks.hpp"
#include "mesh/check/prefix_trie.hpp"

namespace wgkit::mesh {

namespace {

/// Where an override says a prefix.
Mark mark_of(const PeerOverride& special, const Prefix& prefix) {
    const auto& list = *special.allowed_ips;
    const auto at = std::find(list.begin(), list.end(), prefix);
    return special.allowed_ips_marks[static_cast<std::size_t>(at - list.begin())];
}

void check_node(const Plan& plan, NodeIndex index, Diagnostics& d) {
    const Node& node = *plan.member(index).node;
    std::unordered_map<std::string_view, const PeerOverride*> overrides;
    for (const auto& special : node.peers)
        if (special.allowed_ips) overrides.emplace(special.peer.value, &special);
    if (overrides.empty()) return;
    PrefixTrie<NodeIndex> owners;
    for (const auto& peer : plan.peers(index)) {
        for (const auto& prefix : peer.allowed_ips()) {
            const NodeIndex* first = owners.insert(prefix.masked(), peer.node);
            if (first == nullptr || *first == peer.node) continue;
            // One of the two has it by an override, else the routes would be reported.
            const std::string* here = &plan.member(peer.node).node->name.value;
            const std::string* there = &plan.member(*first).node->name.value;
            if (!overrides.contains(*here)) std::swap(here, there);
            const auto special = overrides.find(*here);
            if (special == overrides.end()) continue;
            auto& found = d.error("shadowed-allowed-ips", mark_of(*special->second, prefix),
                                  fmt::format("{} would have {} under two peers, {} and {}",
                                              node.name.value, to_string(prefix), *there, *here));
            const auto other = overrides.find(*there);
            found.notes.push_back({{},
                                   other != overrides.end()
                                       ? mark_of(*other->second, prefix)
                                       : plan.member(*plan.find(*there)).node->name.mark,
                                   fmt::format("{} has it, too", *there)});
            found.hint = "leave it out of one of them";
        }
    }
}

} // namespace

void check_overrides(const Plan& plan, Diagnostics& diagnostics) {
    for (NodeIndex i = 0; i < plan.size(); ++i)
        if (!plan.member(i).node->peers.empty()) check_node(plan, i, diagnostics);
}

} // namespace wgkit::mesh
