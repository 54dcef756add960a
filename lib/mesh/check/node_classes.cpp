#include "mesh/check/node_classes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_map>

namespace wgkit::mesh {

namespace {

std::string reach_key(const Node& node) {
    std::string key;
    for (const auto& underlay : node.underlays)
        key += underlay.name + (underlay.endpoint ? "+" : "-");
    return key;
}

/// Nodes that others treat by name are alone in their class: ends of explicit links, exits, relays,
/// hubs.
std::vector<bool> singular(const Plan& plan, const Links& links) {
    std::vector<bool> alone(plan.size(), false);
    const auto mark = [&](std::string_view name) {
        if (const auto node = plan.find(name)) alone[*node] = true;
    };
    for (const auto& rule : plan.network().topology)
        if (rule.kind == TopologyRule::Kind::links)
            for (const auto& end : rule.first) mark(end.value);
    for (const auto& rule : links.rules())
        if (rule.rule->kind == TopologyRule::Kind::hub)
            for (const auto hub : rule.first) alone[hub] = true;
    for (NodeIndex i = 0; i < plan.size(); ++i) {
        const Node& node = *plan.member(i).node;
        if (node.exit_via) mark(node.exit_via->value);
        if (node.relay) alone[i] = true;
    }
    return alone;
}

} // namespace

NodeClasses::NodeClasses(const Plan& plan) {
    std::vector<bool> active;
    for (NodeIndex i = 0; i < plan.size(); ++i) active.push_back(plan.member(i).active);
    const Links links(plan.network(), active);
    const auto alone = singular(plan, links);
    std::unordered_map<std::string, std::size_t> reaches;
    std::unordered_map<std::string, std::size_t> classes;
    std::string key;
    for (NodeIndex i = 0; i < plan.size(); ++i) {
        if (!active[i]) continue;
        const Node& node = *plan.member(i).node;
        const auto reach = reaches.emplace(reach_key(node), reaches.size()).first->second;
        key = alone[i] ? fmt::format("={}", i)
                       : fmt::format("{} {} {} ", reach, node.routes.empty(),
                                     node.exit_via ? node.exit_via->value : "");
        for (const auto& rule : links.rules())
            if (!alone[i] && !rule.in_first.empty())
                key += static_cast<char>('0' + 2 * rule.in_first[i] + rule.in_second[i]);
        const auto [at, is_new] = classes.emplace(key, members_.size());
        if (is_new) {
            members_.emplace_back();
            reach_.push_back(reach);
        }
        members_[at->second].push_back(i);
    }
}

bool NodeClasses::pair(std::size_t a, std::size_t b, NodeIndex& first, NodeIndex& second) const {
    first = members_[a].front();
    second = a == b ? members_[b].back() : members_[b].front();
    return first != second;
}

} // namespace wgkit::mesh
