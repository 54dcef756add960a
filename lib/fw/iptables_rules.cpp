#include "fw/iptables_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fw/constants.hpp"
#include "fw/interface.hpp"
#include "fw/origin.hpp"

namespace wgkit::fw {

namespace {

constexpr std::size_t max_comment = 255; // XT_MAX_COMMENT_LEN less its end
constexpr std::size_t max_ports = 15;    // XT_MULTI_PORTS; a range counts twice

std::string port_text(const Traffic& traffic) {
    return traffic.first_port == traffic.last_port
               ? fmt::format("{}", traffic.first_port)
               : fmt::format("{}:{}", traffic.first_port, traffic.last_port);
}

/// One match for each group of ports that fits into one rule: "-p tcp -m multiport --dports
/// 80,443".
std::vector<std::string> traffic_matches(const std::vector<Traffic>& list, Family family) {
    std::vector<std::string> matches;
    std::vector<std::uint8_t> done;
    for (const auto& first : list) {
        if (!first.protocol) {
            matches.emplace_back();
            continue;
        }
        const std::uint8_t protocol = *first.protocol;
        const bool is_other_icmp =
            (protocol == icmp || protocol == icmpv6) && protocol != icmp_protocol(family);
        if (is_other_icmp || std::find(done.begin(), done.end(), protocol) != done.end()) continue;
        done.push_back(protocol);
        const std::string name = protocol_name(protocol);
        const std::string start =
            has_ports(protocol) ? fmt::format("-p {} ", name) : fmt::format("-p {} ", protocol);
        std::vector<Traffic> ports;
        bool all = false;
        for (const auto& one : list)
            if (one.protocol == protocol) {
                all = all || one.has_all_ports();
                ports.push_back(one);
            }
        if (all) {
            matches.push_back(start);
            continue;
        }
        for (std::size_t i = 0; i < ports.size();) {
            std::string text;
            std::size_t used = 0;
            for (; i < ports.size(); ++i) {
                const std::size_t needs = ports[i].first_port == ports[i].last_port ? 1 : 2;
                if (used + needs > max_ports) break;
                used += needs;
                text += (text.empty() ? "" : ",") + port_text(ports[i]);
            }
            matches.push_back(text.find(',') == text.npos
                                  ? fmt::format("{}--dport {} ", start, text)
                                  : fmt::format("{}-m multiport --dports {} ", start, text));
        }
    }
    return matches;
}

/// The matches of one side's addresses; one without a match if there is nothing to match, none if
/// the side has no address of this family.
std::vector<std::string> address_matches(const std::vector<Prefix>& prefixes,
                                         std::string_view option, Family family) {
    if (prefixes.empty()) return {""};
    std::vector<std::string> matches;
    for (const auto& prefix : prefixes)
        if (prefix.address.family() == family)
            matches.push_back(fmt::format("{} {} ", option, to_string(prefix)));
    return matches;
}

std::string comment_match(const Ruleset& ruleset, const Rule& rule) {
    std::string text = origin_of(ruleset, rule);
    for (char& c : text)
        if (c == '"' || c == '\\' || c == '\'' || c < ' ' || c > '~') c = ' ';
    if (text.size() > max_comment) text.resize(max_comment);
    return text.empty() ? "" : fmt::format("-m comment --comment \"{}\" ", text);
}

std::string limit_match(const Rate& limit) {
    if (limit.count == 0) return {};
    const char* unit = limit.seconds == 1      ? "sec"
                       : limit.seconds == 60   ? "min"
                       : limit.seconds == 3600 ? "hour"
                                               : "day";
    return fmt::format("-m limit --limit {0}/{1} --limit-burst {0} ", limit.count, unit);
}

/// Writes the rules of one chain.
class Chain {
  public:
    Chain(const Ruleset& ruleset, Family family, std::string name)
        : ruleset_(ruleset), family_(family), name_(std::move(name)) {}

    void add(std::string_view match, std::string_view target) {
        lines_.push_back(fmt::format("-A {} {}-j {}", name_, match, target));
    }
    /// Once what comes out of the tunnel has gone elsewhere.
    void spoofed() {
        for (const auto& pool : ruleset_.pools)
            if (pool.address.family() == family_)
                add(fmt::format("-s {} ", to_string(pool)), "DROP");
    }
    /// Packets of the tunnel's devices (`side`: -i or -o) go on in `other`, and do not come back.
    void leave_for(const Chain& other, std::string_view side) {
        for (const auto& device : tunnel_devices(ruleset_))
            lines_.push_back(
                other.lines_.empty()
                    ? fmt::format("-A {} {} {} -j RETURN", name_, side, device)
                    : fmt::format("-A {} {} {} -g {}", name_, side, device, other.name_));
    }
    void known_flows() {
        add("-m conntrack --ctstate RELATED,ESTABLISHED ", "ACCEPT");
        add("-m conntrack --ctstate INVALID ", "DROP");
    }
    void icmp_of(std::span<const int> types) {
        const bool v4 = family_ == Family::ipv4;
        for (const int type : types)
            add(fmt::format("-p {0} --{0}-type {1} ", v4 ? "icmp" : "icmpv6", type), "ACCEPT");
    }
    void clamp() {
        if (ruleset_.clamp_mss)
            add("-p tcp --tcp-flags SYN,RST SYN ", "TCPMSS --clamp-mss-to-pmtu");
    }
    void rules(Hook hook, bool in_tunnel, bool out_tunnel) {
        for (const auto& rule : ruleset_.rules)
            if (rule.hook == hook && rule.in_tunnel == in_tunnel
                && (hook == Hook::input || rule.out_tunnel == out_tunnel))
                accept(rule);
    }
    void drop() {
        if (ruleset_.log)
            add("-m limit --limit 10/min ",
                fmt::format("LOG --log-prefix \"wgkit-drop {}: \"", ruleset_.interface));
        add("", "DROP");
    }
    bool is_empty() const { return lines_.empty(); }
    void take_to(OwnChains& chains) { chains[name_] = std::move(lines_); }

  private:
    void accept(const Rule& rule) {
        const std::string comment = comment_match(ruleset_, rule);
        const std::string limit = limit_match(rule.limit);
        for (const auto& from : address_matches(rule.from, "-s", family_))
            for (const auto& to : address_matches(rule.to, "-d", family_))
                for (const auto& traffic : traffic_matches(rule.traffic, family_)) {
                    const std::string all =
                        fmt::format("{}{}{}{}{}", from, to, traffic, limit, comment);
                    if (rule.log)
                        add(all, fmt::format("LOG --log-prefix \"wgkit-allow {}: \"",
                                             ruleset_.interface));
                    add(all, "ACCEPT");
                }
    }

    const Ruleset& ruleset_;
    Family family_;
    std::string name_;
    std::vector<std::string> lines_;
};

bool has_rules(const Ruleset& ruleset, Hook hook, bool in_tunnel) {
    return std::any_of(ruleset.rules.begin(), ruleset.rules.end(), [&](const Rule& rule) {
        return rule.hook == hook && rule.in_tunnel == in_tunnel;
    });
}

std::string input_chain(const std::string& interface) { return "wgkit-in-" + interface; }
std::string tunnel_chain(const std::string& interface) { return "wgkit-tun-" + interface; }
std::string forward_chain(const std::string& interface) { return "wgkit-fwd-" + interface; }
std::string from_chain(const std::string& interface) { return "wgkit-from-" + interface; }
std::string to_chain(const std::string& interface) { return "wgkit-to-" + interface; }
std::string via_chain(const std::string& interface) { return "wgkit-via-" + interface; }
std::string nat_chain(const std::string& interface) { return "wgkit-nat-" + interface; }

void add_input(const Ruleset& ruleset, Family family, OwnChains& chains) {
    Chain tunnel(ruleset, family, tunnel_chain(ruleset.interface));
    tunnel.known_flows();
    tunnel.icmp_of(icmp_types(family, ruleset.ping));
    tunnel.rules(Hook::input, true, false);
    tunnel.drop();

    Chain chain(ruleset, family, input_chain(ruleset.interface));
    chain.add("-i lo ", "RETURN");
    chain.leave_for(tunnel, "-i");
    chain.spoofed();
    if (ruleset.closed) {
        chain.known_flows();
        chain.icmp_of(icmp_types(family, ruleset.ping));
        chain.icmp_of(neighbour_types(family));
        chain.add(fmt::format("-p udp --dport {} ", dhcp_client_port(family)), "ACCEPT");
    }
    for (const auto port : listen_ports(ruleset))
        chain.add(
            fmt::format("-p udp --dport {} -m comment --comment \"WireGuard {}\" ", port,
                        port == ruleset.listen_port ? ruleset.interface : ruleset.second_interface),
            "ACCEPT");
    if (!ruleset.closed && has_rules(ruleset, Hook::input, false)) // they let new flows through
        chain.add("-m conntrack --ctstate INVALID ", "RETURN");
    chain.rules(Hook::input, false, false);
    if (ruleset.closed) chain.drop();
    chain.take_to(chains);
    tunnel.take_to(chains);
}

void add_forward(const Ruleset& ruleset, Family family, OwnChains& chains) {
    const bool decides = decides_forward(ruleset);
    if (!decides && ruleset.pools.empty() && !ruleset.clamp_mss) return;
    const auto& name = ruleset.interface;
    Chain via(ruleset, family, via_chain(name)); // out of the tunnel and back into it
    Chain from(ruleset, family, from_chain(name));
    Chain to(ruleset, family, to_chain(name));
    for (Chain* side : {&from, &to}) {
        side->clamp(); // before flows that are known: a SYN's answer has an MSS, too
        if (decides) side->known_flows();
        if (decides) side->icmp_of(icmp_types(family, ruleset.ping && side == &from));
    }
    if (decides) {
        const auto end = [&](Chain& chain) {
            if (ruleset.filter_forward) chain.drop();
        };
        via.rules(Hook::forward, true, true);
        end(via);
        from.leave_for(via, "-o");
        from.rules(Hook::forward, true, false);
        end(from);
        to.rules(Hook::forward, false, true);
        end(to);
    }
    Chain chain(ruleset, family, forward_chain(name));
    chain.leave_for(from, "-i");
    chain.spoofed();
    if (!to.is_empty()) chain.leave_for(to, "-o");
    for (Chain* one : {&chain, &from, &to, &via}) one->take_to(chains);
}

void add_nat(const Ruleset& ruleset, Family family, OwnChains& chains) {
    Chain chain(ruleset, family, nat_chain(ruleset.interface));
    const auto is_here = [&](const Prefix& one) { return one.address.family() == family; };
    if (std::none_of(ruleset.masquerade.begin(), ruleset.masquerade.end(), is_here)) return;
    for (const auto& device : tunnel_devices(ruleset))
        chain.add(fmt::format("-o {} ", device), "RETURN");
    for (const auto& prefix : ruleset.unmasked)
        if (is_here(prefix)) chain.add(fmt::format("-d {} ", to_string(prefix)), "RETURN");
    for (const auto& prefix : ruleset.masquerade)
        if (is_here(prefix)) chain.add(fmt::format("-s {} ", to_string(prefix)), "MASQUERADE");
    chain.take_to(chains);
}

} // namespace

std::vector<ChainPlace> chain_places(const std::string& interface) {
    return {{"filter", "INPUT", input_chain(interface)},
            {"filter", "FORWARD", forward_chain(interface)},
            {"filter", "", tunnel_chain(interface)},
            {"filter", "", from_chain(interface)},
            {"filter", "", to_chain(interface)},
            {"filter", "", via_chain(interface)},
            {"nat", "POSTROUTING", nat_chain(interface)}};
}

OwnChains chains_of(const Ruleset& ruleset, Family family) {
    OwnChains chains;
    for (const auto& place : chain_places(ruleset.interface)) chains[place.chain];
    add_input(ruleset, family, chains);
    add_forward(ruleset, family, chains);
    add_nat(ruleset, family, chains);
    return chains;
}

} // namespace wgkit::fw
