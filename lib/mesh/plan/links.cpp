#include "mesh/plan/links.hpp"

#include <algorithm>

namespace wgkit::mesh {

using Kind = TopologyRule::Kind;

namespace {

constexpr std::string_view tag_prefix = "tag:";

std::vector<bool> membership(const Selector& selector, const Network& network,
                             const std::vector<bool>& active) {
    std::vector<bool> in(network.nodes.size(), false);
    for (std::size_t i = 0; i < network.nodes.size(); ++i)
        in[i] = active[i] && std::any_of(selector.begin(), selector.end(), [&](const auto& term) {
                    return selects(term.value, network.nodes[i]);
                });
    return in;
}

std::vector<NodeIndex> indices(const std::vector<bool>& in) {
    std::vector<NodeIndex> list;
    for (std::size_t i = 0; i < in.size(); ++i)
        if (in[i]) list.push_back(static_cast<NodeIndex>(i));
    return list;
}

} // namespace

bool selects(std::string_view term, const Node& node) {
    if (term == "all") return true;
    if (term.starts_with(tag_prefix)) return node.has_tag(term.substr(tag_prefix.size()));
    return term == node.name.value;
}

Links::Links(const Network& network, const std::vector<bool>& active)
    : network_(network), explicit_(network.nodes.size()), hubs_(network.nodes.size()) {
    std::unordered_map<std::string_view, NodeIndex> by_name;
    for (std::size_t i = 0; i < network.nodes.size(); ++i)
        by_name.emplace(network.nodes[i].name.value, static_cast<NodeIndex>(i));

    for (const auto& rule : network.topology) {
        ResolvedRule resolved{&rule, {}, {}, {}, {}};
        if (rule.kind == Kind::links) {
            for (std::size_t k = 0; k + 1 < rule.first.size(); k += 2) {
                const auto a = by_name.find(rule.first[k].value);
                const auto b = by_name.find(rule.first[k + 1].value);
                if (a == by_name.end() || b == by_name.end() || a == b || !active[a->second]
                    || !active[b->second])
                    continue;
                explicit_[a->second].push_back(b->second);
                explicit_[b->second].push_back(a->second);
            }
        } else {
            resolved.in_first = membership(rule.first, network, active);
            resolved.in_second = membership(rule.second, network, active);
            if (rule.kind == Kind::hub) // `spokes: all` means all others
                for (std::size_t i = 0; i < active.size(); ++i)
                    if (resolved.in_first[i]) resolved.in_second[i] = false;
            resolved.first = indices(resolved.in_first);
            resolved.second = indices(resolved.in_second);
            if (rule.kind == Kind::hub && !resolved.first.empty())
                for (const auto spoke : resolved.second)
                    if (!hubs_[spoke]) hubs_[spoke] = resolved.first.front();
        }
        rules_.push_back(std::move(resolved));
    }
}

bool Links::links(const ResolvedRule& rule, NodeIndex a, NodeIndex b) const {
    switch (rule.rule->kind) {
    case Kind::mesh:
        return rule.in_first[a] && rule.in_first[b];
    case Kind::hub:
        return (rule.in_first[a] && (rule.in_second[b] || rule.in_first[b]))
               || (rule.in_first[b] && rule.in_second[a]);
    case Kind::sites:
        return rule.in_first[a] && rule.in_first[b]
               && (!network_.nodes[a].routes.empty() || !network_.nodes[b].routes.empty());
    case Kind::links:
        return std::find(explicit_[a].begin(), explicit_[a].end(), b) != explicit_[a].end();
    }
    return false;
}

void Links::mark(NodeIndex node, std::vector<std::uint8_t>& marks) const {
    const auto mark_all = [&](const std::vector<NodeIndex>& list) {
        for (const auto other : list) marks[other] = 1;
    };
    for (const auto& rule : rules_) {
        if (rule.rule->kind == Kind::links) continue;
        if (rule.in_first[node]) {
            if (rule.rule->kind == Kind::sites) {
                for (const auto other : rule.first)
                    if (links(rule, node, other)) marks[other] = 1;
            } else {
                mark_all(rule.first);
                mark_all(rule.second);
            }
        } else if (rule.rule->kind == Kind::hub && rule.in_second[node]) {
            mark_all(rule.first);
        }
    }
    mark_all(explicit_[node]);
    marks[node] = 0;
}

const TopologyRule* Links::linking(NodeIndex a, NodeIndex b) const {
    if (a == b) return nullptr;
    for (const auto& rule : rules_)
        if (links(rule, a, b)) return rule.rule;
    return nullptr;
}

std::optional<NodeIndex> Links::hub_of(NodeIndex node) const { return hubs_[node]; }

} // namespace wgkit::mesh
