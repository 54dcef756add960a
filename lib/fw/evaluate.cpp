#include <algorithm>

#include "fw/constants.hpp"
#include "wgkit/firewall.hpp"

namespace wgkit::fw {

namespace {

using Verdict = Decision::Verdict;

bool holds(const std::vector<Prefix>& prefixes, const IpAddress& address) {
    return prefixes.empty() || std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& one) {
               return one.contains(address);
           });
}

bool matches(const Rule& rule, const Packet& packet) {
    if (rule.hook != packet.hook || rule.in_tunnel != packet.in_tunnel) return false;
    if (packet.hook == Hook::forward && rule.out_tunnel != packet.out_tunnel) return false;
    return holds(rule.from, packet.source) && holds(rule.to, packet.destination)
           && std::any_of(rule.traffic.begin(), rule.traffic.end(), [&](const Traffic& one) {
                  return one.contains(packet.protocol, packet.destination_port);
              });
}

bool is_one_of(std::span<const int> types, const Packet& packet) {
    if (packet.protocol != icmp_protocol(packet.source.family())) return false;
    return std::find(types.begin(), types.end(), packet.destination_port) != types.end();
}

/// What a rule or nothing says to a packet that belongs to no known flow.
Decision by_rules(const Ruleset& ruleset, const Packet& packet, Decision otherwise) {
    for (const auto& rule : ruleset.rules)
        if (matches(rule, packet)) return {Verdict::accept, &rule, {}};
    return otherwise;
}

/// Packets for this machine that do not come out of the tunnel.
Decision outside(const Ruleset& ruleset, const Packet& packet) {
    if (ruleset.closed) {
        if (packet.state == FlowState::established || packet.state == FlowState::related)
            return {Verdict::accept, nullptr, "belongs to a flow that was let through"};
        if (packet.state == FlowState::invalid)
            return {Verdict::drop, nullptr, "belongs to no flow"};
        const Family family = packet.source.family();
        if (is_one_of(icmp_types(family, ruleset.ping), packet)
            || is_one_of(neighbour_types(family), packet))
            return {Verdict::accept, nullptr, "ICMP that IP needs"};
        if (packet.protocol == udp && packet.destination_port == dhcp_client_port(family))
            return {Verdict::accept, nullptr, "DHCP"};
    }
    if (packet.protocol == udp && packet.destination_port != 0
        && (packet.destination_port == ruleset.listen_port
            || packet.destination_port == ruleset.second_port))
        return {Verdict::accept, nullptr, "the listen port"};
    if (packet.state == FlowState::invalid) // rules let new flows through
        return {Verdict::pass, nullptr, "belongs to no flow"};
    const auto otherwise = ruleset.closed
                               ? Decision{Verdict::drop, nullptr, "closed to the outside"}
                               : Decision{Verdict::pass, nullptr, "not from the tunnel"};
    return by_rules(ruleset, packet, otherwise);
}

} // namespace

bool decides_forward(const Ruleset& ruleset) {
    return ruleset.filter_forward
           || std::any_of(ruleset.rules.begin(), ruleset.rules.end(),
                          [](const Rule& rule) { return rule.hook == Hook::forward; });
}

Decision evaluate(const Ruleset& ruleset, const Packet& packet) {
    if (!packet.in_tunnel && !ruleset.pools.empty() && holds(ruleset.pools, packet.source))
        return {Verdict::drop, nullptr, "an address of the tunnel from another interface"};
    const bool is_input = packet.hook == Hook::input;
    if (is_input && !packet.in_tunnel) return outside(ruleset, packet);
    if (!is_input && (!decides_forward(ruleset) || (!packet.in_tunnel && !packet.out_tunnel)))
        return {Verdict::pass, nullptr, "not the tunnel's"};
    if (packet.state == FlowState::established || packet.state == FlowState::related)
        return {Verdict::accept, nullptr, "belongs to a flow that was let through"};
    if (packet.state == FlowState::invalid) return {Verdict::drop, nullptr, "belongs to no flow"};
    if (is_one_of(icmp_types(packet.source.family(), ruleset.ping && packet.in_tunnel), packet))
        return {Verdict::accept, nullptr, "ICMP that IP needs"};
    const bool is_left = !is_input && !ruleset.filter_forward;
    return by_rules(ruleset, packet,
                    is_left ? Decision{Verdict::pass, nullptr, "forwarding is left to other rules"}
                            : Decision{Verdict::drop, nullptr, "nothing allows it"});
}

} // namespace wgkit::fw
