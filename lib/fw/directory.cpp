#include "fw/directory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "util/ascii.hpp"

namespace wgkit::fw {

namespace {

template <class List>
void make_unique(List& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

} // namespace

bool Party::has(NodeId node) const {
    return everyone || std::binary_search(nodes.begin(), nodes.end(), node);
}

Directory::Directory(const Policy& policy, const mesh::Fleet& fleet, Diagnostics& diagnostics)
    : policy_(policy), fleet_(fleet) {
    for (const auto& network : fleet.inventory.networks)
        for (const auto& node : network.nodes) names_.push_back(node.name.value);
    make_unique(names_);
    for (NodeId id = 0; id < names_.size(); ++id) by_name_.emplace(names_[id], id);
    seats_.resize(names_.size());
    for (std::size_t n = 0; n < fleet.plans.size(); ++n) {
        const auto& plan = fleet.plans[n];
        for (mesh::NodeIndex i = 0; i < plan.size(); ++i) {
            const auto& member = plan.member(i);
            const NodeId id = by_name_.at(member.node->name.value);
            seats_[id].push_back({n, i});
            for (const auto& tag : member.node->tags) by_tag_[tag.value].push_back(id);
            if (!member.active) continue;
            for (const auto& address : member.addresses)
                addresses_.emplace_back(address.address, id);
            for (const auto& route : member.routes) routes_.push_back({route, id, n});
        }
    }
    std::sort(addresses_.begin(), addresses_.end());
    for (auto& [tag, nodes] : by_tag_) make_unique(nodes);

    const auto check = [&](const Located<std::string>& name, std::string_view what, bool is_known) {
        if (!is_known && by_name_.count(name.value) == 0) return;
        diagnostics
            .error("duplicate-name", name.mark,
                   fmt::format("{} '{}' has the name of {}", what, name.value,
                               is_known ? "a host" : "a node"))
            .hint = "rules name nodes, hosts and groups alike: give it a name of its own";
    };
    for (const auto& host : policy.hosts) {
        check(host.name, "the host", false);
        hosts_.emplace(host.name.value, &host);
    }
    for (const auto& group : policy.groups) {
        check(group.name, "the group", hosts_.count(group.name.value) != 0);
        groups_.emplace(group.name.value, &group);
    }
}

const mesh::Member& Directory::member(const Seat& seat) const {
    return fleet_.plans[seat.network].member(seat.index);
}

std::optional<NodeId> Directory::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found != by_name_.end() ? std::optional(found->second) : std::nullopt;
}

std::vector<NodeId> Directory::nodes_in(const Prefix& prefix) const {
    std::vector<NodeId> nodes;
    auto at = std::lower_bound(addresses_.begin(), addresses_.end(),
                               std::pair(prefix.address, NodeId{0}));
    for (; at != addresses_.end() && prefix.contains(at->first); ++at) nodes.push_back(at->second);
    return nodes;
}

std::optional<NodeId> Directory::owner(const IpAddress& address) const {
    const auto nodes = nodes_in(Prefix::host(address));
    return nodes.empty() ? std::nullopt : std::optional(nodes.front());
}

const Directory::Route* Directory::route_to(const IpAddress& address) const {
    const Route* best = nullptr;
    for (const auto& route : routes_)
        if (route.prefix.contains(address)
            && (best == nullptr || route.prefix.length > best->prefix.length))
            best = &route;
    return best;
}

Party Directory::look_up(const std::vector<Located<std::string>>& names,
                         Diagnostics& diagnostics) const {
    Party party;
    Groups groups;
    for (const auto& name : names) add(name, party, groups, diagnostics);
    make_unique(party.nodes);
    make_unique(party.prefixes);
    return party;
}

void Directory::add(const Located<std::string>& name, Party& party, Groups& groups,
                    Diagnostics& d) const {
    const std::string_view text = name.value;
    if (text == "all") {
        party.everyone = true;
    } else if (text == "internet") {
        party.internet = true;
    } else if (const auto node = by_name_.find(text); node != by_name_.end()) {
        party.nodes.push_back(node->second);
    } else if (const auto host = hosts_.find(text); host != hosts_.end()) {
        for (const auto& prefix : host->second->prefixes) party.prefixes.push_back(prefix);
    } else if (const auto group = groups_.find(text); group != groups_.end()) {
        auto& open = groups.open;
        if (std::find(open.begin(), open.end(), group->second) != open.end()) {
            d.error("group-cycle", group->second->name.mark,
                    fmt::format("the group '{}' contains itself", text));
            return;
        }
        if (!groups.seen.insert(group->second).second) return; // its members are there already
        open.push_back(group->second);
        for (const auto& inner : group->second->members) add(inner, party, groups, d);
        open.pop_back();
    } else if (text.starts_with("tag:")) {
        const auto tag = by_tag_.find(text.substr(4));
        if (tag == by_tag_.end()) return unknown(name, d);
        party.nodes.insert(party.nodes.end(), tag->second.begin(), tag->second.end());
    } else if (text.starts_with("site:")) {
        const auto owner = by_name_.find(text.substr(5));
        if (owner == by_name_.end()) return unknown(name, d);
        const auto before = party.prefixes.size();
        for (const auto& seat : seats_[owner->second])
            for (const auto& route : member(seat).routes) party.prefixes.push_back(route);
        if (party.prefixes.size() == before)
            d.error("empty-group", name.mark,
                    fmt::format("there is no subnet behind '{}'", owner->first))
                .hint = "give the node `routes`";
    } else if (!add_address(name, party, d)) {
        unknown(name, d);
    }
}

bool Directory::add_address(const Located<std::string>& name, Party& party, Diagnostics& d) const {
    const auto prefix = Prefix::parse(name.value);
    if (!prefix) return false;
    if (prefix->has_host_bits()) {
        d.error("host-bits", name.mark,
                fmt::format("{} has bits set beyond its length", name.value))
            .hint = fmt::format("write {}, or {} for one address", to_string(prefix->masked()),
                                to_string(prefix->address));
        return true;
    }
    if (!prefix->address.is_v4()) {
        const auto has_ipv6 = [](const mesh::Network& network) { return network.ipv6.has_value(); };
        const auto& networks = fleet_.inventory.networks;
        const bool routed = std::any_of(routes_.begin(), routes_.end(), [](const Route& route) {
            return !route.prefix.address.is_v4();
        });
        if (!routed && std::none_of(networks.begin(), networks.end(), has_ipv6))
            d.error("wrong-family", name.mark,
                    fmt::format("{} is IPv6, and no network has IPv6", name.value))
                .hint = "give the network `ipv6`";
    }
    party.prefixes.push_back(*prefix);
    return true;
}

void Directory::unknown(const Located<std::string>& name, Diagnostics& d) const {
    const std::string_view text = name.value;
    std::vector<std::string> known{"all", "internet"};
    const char* what = "name";
    if (text.starts_with("tag:")) {
        what = "tag";
        for (const auto& [tag, nodes] : by_tag_) known.push_back(fmt::format("tag:{}", tag));
    } else if (text.starts_with("site:")) {
        what = "node";
        for (const auto& node : names_) known.push_back("site:" + node);
    } else {
        known.insert(known.end(), names_.begin(), names_.end());
        for (const auto& host : policy_.hosts) known.push_back(host.name.value);
        for (const auto& group : policy_.groups) known.push_back(group.name.value);
    }
    const std::vector<std::string_view> candidates(known.begin(), known.end());
    auto& found = d.error("unknown-name", name.mark, fmt::format("no {} '{}'", what, text));
    if (const auto near = ascii::nearest(text, candidates))
        found.hint = fmt::format("did you mean '{}'?", *near);
    else
        found.hint =
            "rules name nodes, tag:NAME, site:NODE, hosts, groups, addresses, all or internet";
}

} // namespace wgkit::fw
