// Links whose two ends were given different MTUs: large packets pass one way only.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "mesh/check/checks.hpp"
#include "mesh/check/node_classes.hpp"

namespace wgkit::mesh {

namespace {

/// Nodes of one class with one MTU; one of them speaks for all.
struct Group {
    NodeIndex node;
    std::uint16_t mtu;
    std::size_t nodes = 0;
};

std::vector<Group> groups_of(const Plan& plan) {
    const NodeClasses classes(plan);
    std::vector<Group> groups;
    for (std::size_t i = 0; i < classes.size(); ++i) {
        std::map<std::uint16_t, Group> by_mtu;
        for (const auto index : classes.members(i)) {
            const auto& mtu = plan.member(index).node->mtu;
            // What is too small for IPv6 is reported as that.
            if (!mtu || (mtu->value < least_ipv6_mtu && plan.network().ipv6)) continue;
            ++by_mtu.try_emplace(mtu->value, Group{index, mtu->value}).first->second.nodes;
        }
        for (const auto& [mtu, group] : by_mtu) groups.push_back(group);
    }
    return groups;
}

/// What most nodes have; of equals, what the first of them has.
std::uint16_t usual_mtu(const std::vector<Group>& groups) {
    std::map<std::uint16_t, std::size_t> nodes;
    for (const auto& group : groups) nodes[group.mtu] += group.nodes;
    const auto best =
        std::max_element(groups.begin(), groups.end(), [&](const Group& a, const Group& b) {
            return std::pair(nodes[a.mtu], b.node) < std::pair(nodes[b.mtu], a.node);
        });
    return best->mtu;
}

} // namespace

void check_mtus(const Plan& plan, Diagnostics& diagnostics) {
    const auto groups = groups_of(plan);
    if (groups.empty()) return;
    const auto usual = usual_mtu(groups);
    std::set<std::pair<NodeIndex, NodeIndex>> reported;
    for (const auto& group : groups) {
        if (group.mtu == usual) continue;
        for (const auto& other : groups) {
            if (other.mtu == group.mtu || reported.contains({other.node, group.node})
                || plan.path(group.node, other.node).kind != Path::Kind::direct)
                continue;
            const Node& here = *plan.member(group.node).node;
            const Node& there = *plan.member(other.node).node;
            auto& found = diagnostics.warning(
                "mtu-asymmetry", here.mtu->mark,
                fmt::format("the MTU here is {}, but {} at the other end of a link", group.mtu,
                            other.mtu));
            found.notes.push_back(
                {{},
                 there.mtu->mark,
                 fmt::format("for example between {} and {}", here.name.value, there.name.value)});
            found.hint = "give both ends the smaller one";
            reported.emplace(group.node, other.node);
            break;
        }
    }
}

} // namespace wgkit::mesh
