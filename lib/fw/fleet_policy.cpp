// Policy and fleet -> one ruleset for each node and network. A rule is enforced where its packets
// arrive: at the destination, at the node before a subnet, and at hubs and relays on the way.
#include "fw/fleet_policy.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fw/interface.hpp"
#include "fw/internet.hpp"

namespace wgkit::fw {

namespace {

template <class List, class Other>
void append(List& list, const Other& more) {
    list.insert(list.end(), more.begin(), more.end());
}

bool overlaps(const Prefix& a, const Prefix& b) { return a.contains(b) || b.contains(a); }

bool overlaps(const std::vector<Prefix>& list, const Prefix& prefix) {
    return std::any_of(list.begin(), list.end(),
                       [&](const auto& one) { return overlaps(one, prefix); });
}

std::vector<Prefix> pools_of(const mesh::Network& network) {
    std::vector<Prefix> pools;
    if (network.ipv4) pools.push_back(network.ipv4->value);
    if (network.ipv6) pools.push_back(network.ipv6->value);
    return pools;
}

} // namespace

std::vector<Prefix> common(const std::vector<Prefix>& a, const std::vector<Prefix>& b) {
    std::vector<Prefix> list;
    for (const auto& x : a)
        for (const auto& y : b) {
            if (x.contains(y))
                list.push_back(y);
            else if (y.contains(x))
                list.push_back(x);
        }
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
}

bool carries(const mesh::Network& network, const mesh::Node& node) {
    if (node.relay) return true;
    return std::any_of(network.topology.begin(), network.topology.end(), [&](const auto& rule) {
        if (rule.kind != mesh::TopologyRule::Kind::hub) return false;
        return std::any_of(rule.first.begin(), rule.first.end(), [&](const auto& term) {
            return term.value == "all" || term.value == node.name.value
                   || std::any_of(node.tags.begin(), node.tags.end(), [&](const auto& tag) {
                          return term.value == "tag:" + tag.value;
                      });
        });
    });
}

FleetPolicy::Impl::Impl(const Policy& policy_in, const mesh::Fleet& fleet, Diagnostics& diagnostics)
    : policy(policy_in), directory(policy_in, fleet, diagnostics) {
    for (const auto& rule : policy.allow)
        rules.push_back({&rule, directory.look_up(rule.from, diagnostics),
                         directory.look_up(rule.to, diagnostics)});
    for (const auto& group : policy.groups) // also those that no rule uses
        directory.look_up(group.members, diagnostics);
    index();
}

/// Most rules concern few nodes; asking every rule for every node took most of the time.
void FleetPolicy::Impl::index() {
    concerns.resize(directory.size());
    std::vector<NodeId> everywhere; // nodes that carry others' traffic
    std::vector<NodeId> exits;
    for (NodeId id = 0; id < directory.size(); ++id)
        for (const auto& seat : directory.seats(id)) {
            const auto& node = *directory.member(seat).node;
            if (carries(directory.plan(seat).network(), node)) everywhere.push_back(id);
            if (node.exit) exits.push_back(id);
        }
    std::vector<NodeId> nodes;
    for (std::uint32_t r = 0; r < rules.size(); ++r) {
        const auto& [rule, from, to] = rules[r];
        nodes = everywhere;
        if (to.everyone)
            for (NodeId id = 0; id < directory.size(); ++id) nodes.push_back(id);
        append(nodes, to.nodes);
        if (to.internet) append(nodes, exits);
        for (const auto& prefix : to.prefixes) append(nodes, directory.nodes_in(prefix));
        for (const auto& route : directory.routes())
            if (overlaps(to.prefixes, route.prefix) || overlaps(from.prefixes, route.prefix))
                nodes.push_back(route.node);
        std::sort(nodes.begin(), nodes.end());
        nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
        for (const NodeId id : nodes) concerns[id].push_back(r);
    }
}

namespace {

/// Builds one ruleset.
class Compiler {
  public:
    Compiler(const FleetPolicy::Impl& impl, NodeId node, const Seat& seat);

    Ruleset compile();

  private:
    void add(const ResolvedRule& rule);
    /// The addresses that a party has in this network, without this node's own.
    std::vector<Prefix> in_tunnel(const Party& party) const;
    std::vector<Prefix> without_own(std::vector<Prefix> prefixes) const;
    void push(const ResolvedRule& rule, Hook hook, bool in, bool out, std::vector<Prefix> from,
              std::vector<Prefix> to);
    void add_outside(const ResolvedRule& rule, const std::vector<Prefix>& own);
    std::vector<std::string> vouchers(const Party& from) const;

    const FleetPolicy::Impl& impl_;
    const Directory& directory_;
    NodeId node_;
    const Seat& seat_;
    const mesh::Member& member_;
    const mesh::Network& network_;
    std::vector<Prefix> pools_;
    bool carries_;
    Ruleset ruleset_;
};

Compiler::Compiler(const FleetPolicy::Impl& impl, NodeId node, const Seat& seat)
    : impl_(impl), directory_(impl.directory), node_(node), seat_(seat),
      member_(impl.directory.member(seat)), network_(impl.directory.plan(seat).network()),
      pools_(pools_of(network_)), carries_(carries(network_, *member_.node)) {}

Ruleset Compiler::compile() {
    const auto& node = *member_.node;
    ruleset_.node = node.name.value;
    ruleset_.file = impl_.policy.file;
    ruleset_.interface = node.interface;
    ruleset_.listen_port = node.port.value_or(0);
    cover_second(ruleset_);
    for (const auto& other : directory_.seats(node_)) // the name may be that of another network
        if (directory_.member(other).node->interface == ruleset_.second_interface)
            ruleset_.second_interface.clear();
    if (ruleset_.second_interface.empty()) ruleset_.second_port = 0;
    ruleset_.pools = pools_;
    ruleset_.ping = impl_.policy.ping;
    ruleset_.log = impl_.policy.log;
    ruleset_.closed = impl_.policy.closed;
    ruleset_.clamp_mss = impl_.policy.clamp_mss && member_.forwards;
    if (node.exit) {
        ruleset_.masquerade = pools_;
        ruleset_.unmasked = member_.routes;
    }
    for (const auto r : impl_.concerns[node_]) add(impl_.rules[r]);
    return std::move(ruleset_);
}

std::vector<Prefix> Compiler::in_tunnel(const Party& party) const {
    std::vector<Prefix> list;
    if (party.everyone) {
        list = pools_;
    } else {
        for (const NodeId id : party.nodes) {
            if (id == node_) continue;
            for (const auto& seat : directory_.seats(id))
                if (seat.network == seat_.network && directory_.member(seat).active)
                    append(list, directory_.member(seat).addresses);
        }
    }
    for (const auto& prefix : party.prefixes)
        if (!party.everyone || std::none_of(pools_.begin(), pools_.end(), [&](const Prefix& pool) {
                return pool.contains(prefix);
            }))
            list.push_back(prefix);
    return list;
}

std::vector<Prefix> Compiler::without_own(std::vector<Prefix> prefixes) const {
    prefixes.erase(std::remove_if(prefixes.begin(), prefixes.end(),
                                  [&](const Prefix& prefix) {
                                      return std::any_of(member_.routes.begin(),
                                                         member_.routes.end(),
                                                         [&](const Prefix& route) {
                                                             return route.contains(prefix);
                                                         });
                                  }),
                   prefixes.end());
    return prefixes;
}

void Compiler::push(const ResolvedRule& rule, Hook hook, bool in, bool out,
                    std::vector<Prefix> from, std::vector<Prefix> to) {
    Rule made;
    made.hook = hook;
    made.in_tunnel = in;
    made.out_tunnel = out;
    made.from = std::move(from);
    made.to = std::move(to);
    made.traffic = rule.rule->traffic;
    made.text = rule.rule->text;
    made.mark = rule.rule->mark;
    made.log = rule.rule->log;
    made.limit = rule.rule->limit;
    if (in) made.vouched_by = vouchers(rule.from);
    ruleset_.rules.push_back(std::move(made));
}

/// Nodes that some of the sources are behind: the key only shows that the packet is from those.
std::vector<std::string> Compiler::vouchers(const Party& from) const {
    std::vector<std::string> names;
    if (from.prefixes.empty()) return names;
    for (const auto& route : directory_.routes())
        if (route.network == seat_.network && route.node != node_
            && overlaps(from.prefixes, route.prefix))
            names.push_back(directory_.name(route.node));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

void Compiler::add(const ResolvedRule& rule) {
    const std::vector<Prefix> from = without_own(in_tunnel(rule.from));
    // This machine: its addresses in the tunnel, and those that it has in the subnets behind it.
    std::vector<Prefix> own;
    for (const auto& address : member_.addresses)
        if (rule.to.has(node_) || overlaps(rule.to.prefixes, address)) own.push_back(address);
    const std::vector<Prefix> behind = common(rule.to.prefixes, member_.routes);
    append(own, behind);
    if (!from.empty() && !own.empty()) push(rule, Hook::input, true, false, from, own);
    add_outside(rule, own);

    if (!from.empty() && !behind.empty()) push(rule, Hook::forward, true, false, from, behind);
    if (!from.empty() && rule.to.internet && member_.node->exit)
        push(rule, Hook::forward, true, false, from, internet_prefixes());
    const std::vector<Prefix> to = without_own(in_tunnel(rule.to));
    if (to.empty()) return;
    if (auto leaving = common(rule.from.prefixes, member_.routes); !leaving.empty())
        push(rule, Hook::forward, false, true, std::move(leaving), to);
    if (carries_ && !from.empty()) push(rule, Hook::forward, true, true, from, to);
}

/// Flows to this machine that do not come out of the tunnel.
void Compiler::add_outside(const ResolvedRule& rule, const std::vector<Prefix>& own) {
    const bool means_us = rule.to.has(node_);
    if (!means_us && own.empty()) return;
    std::vector<Prefix> to = own;
    if (means_us) to.clear(); // at whatever address
    if (rule.from.internet) {
        push(rule, Hook::input, false, false, {}, to);
        return;
    }
    std::vector<Prefix> from;
    for (const auto& prefix : rule.from.prefixes)
        if (!overlaps(pools_, prefix)) from.push_back(prefix);
    if (!from.empty()) push(rule, Hook::input, false, false, std::move(from), std::move(to));
}

} // namespace

Ruleset FleetPolicy::Impl::compile(NodeId node, const Seat& seat) const {
    return Compiler(*this, node, seat).compile();
}

FleetPolicy::FleetPolicy(const Policy& policy, const mesh::Fleet& fleet, Diagnostics& diagnostics)
    : impl_(std::make_unique<Impl>(policy, fleet, diagnostics)) {}
FleetPolicy::~FleetPolicy() = default;
FleetPolicy::FleetPolicy(FleetPolicy&&) noexcept = default;

Diagnostics check_policy(const mesh::Fleet& fleet, const std::string& file) {
    const ParsedPolicy parsed = parse_policy(fleet.source, file);
    if (!parsed.policy.is_set) return Diagnostics(file);
    Diagnostics found = parsed.diagnostics;
    if (fleet.diagnostics.errors() != 0 || found.errors() != 0) return found;
    const FleetPolicy policy(parsed.policy, fleet, found);
    if (found.errors() == 0) policy.run_tests(found);
    found.sort();
    return found;
}

Result<std::vector<Ruleset>> FleetPolicy::compile(std::string_view node) const {
    const auto id = impl_->directory.find(node);
    if (!id) return Error{Errc::not_found, fmt::format("no node '{}'", node), {}};
    std::vector<Ruleset> rulesets;
    for (const auto& seat : impl_->directory.seats(*id))
        if (impl_->directory.member(seat).active) rulesets.push_back(impl_->compile(*id, seat));
    return rulesets;
}

} // namespace wgkit::fw
