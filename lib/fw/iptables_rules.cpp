#include "fw/iptables_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fw/constants.hpp"

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
    std::string text = rule.text;
    if (rule.mark.line != 0) text = fmt::format("{}:{}: {}", ruleset.file, rule.mark.line, text);
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
    void spoofed() {
        for (const auto& pool : ruleset_.pools)
            if (pool.address.family() == family_)
                add(fmt::format("! -i {} -s {} ", ruleset_.interface, to_string(pool)), "DROP");
    }
    void known_flows(std::string_view match) {
        add(fmt::format("{}-m conntrack --ctstate RELATED,ESTABLISHED ", match), "ACCEPT");
        add(fmt::format("{}-m conntrack --ctstate INVALID ", match), "DROP");
    }
    void icmp_of(std::span<const int> types, std::string_view match) {
        const bool v4 = family_ == Family::ipv4;
        for (const int type : types)
            add(fmt::format("{}-p {} --{}-type {} ", match, v4 ? "icmp" : "icmpv6",
                            v4 ? "icmp" : "icmpv6", type),
                "ACCEPT");
    }
    void rules(Hook hook, bool in_tunnel, bool out_tunnel, std::string_view match) {
        for (const auto& rule : ruleset_.rules)
            if (rule.hook == hook && rule.in_tunnel == in_tunnel
                && (hook == Hook::input || rule.out_tunnel == out_tunnel))
                accept(rule, match);
    }
    void drop() {
        if (ruleset_.log)
            add("-m limit --limit 10/min ",
                fmt::format("LOG --log-prefix \"wgkit-drop {}: \"", ruleset_.interface));
        add("", "DROP");
    }
    std::vector<std::string> take() { return std::move(lines_); }

  private:
    void accept(const Rule& rule, std::string_view match) {
        const std::string comment = comment_match(ruleset_, rule);
        const std::string limit = limit_match(rule.limit);
        for (const auto& from : address_matches(rule.from, "-s", family_))
            for (const auto& to : address_matches(rule.to, "-d", family_))
                for (const auto& traffic : traffic_matches(rule.traffic, family_)) {
                    const std::string all =
                        fmt::format("{}{}{}{}{}{}", match, from, to, traffic, limit, comment);
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

} // namespace

std::string input_chain(const std::string& interface) { return "wgkit-in-" + interface; }
std::string forward_chain(const std::string& interface) { return "wgkit-fwd-" + interface; }
std::string nat_chain(const std::string& interface) { return "wgkit-nat-" + interface; }

std::vector<std::string> input_rules(const Ruleset& ruleset, Family family) {
    const std::string outside = fmt::format("! -i {} ", ruleset.interface);
    Chain chain(ruleset, family, input_chain(ruleset.interface));
    chain.add("-i lo ", "RETURN");
    chain.spoofed();
    if (ruleset.closed) {
        chain.known_flows(outside);
        chain.icmp_of(icmp_types(family, ruleset.ping), outside);
        chain.icmp_of(neighbour_types(family), outside);
        chain.add(fmt::format("{}-p udp --dport {} ", outside, dhcp_client_port(family)), "ACCEPT");
    }
    if (ruleset.listen_port != 0)
        chain.add(fmt::format("{}-p udp --dport {} -m comment --comment \"WireGuard {}\" ", outside,
                              ruleset.listen_port, ruleset.interface),
                  "ACCEPT");
    if (!ruleset.closed && has_rules(ruleset, Hook::input, false)) // they let new flows through
        chain.add(outside + "-m conntrack --ctstate INVALID ", "RETURN");
    chain.rules(Hook::input, false, false, outside);
    if (!ruleset.closed) {
        chain.add(outside, "RETURN");
        chain.known_flows("");
    } else {
        chain.add(outside, "DROP");
        chain.known_flows("");
    }
    chain.icmp_of(icmp_types(family, ruleset.ping), "");
    chain.rules(Hook::input, true, false, "");
    chain.drop();
    return chain.take();
}

std::vector<std::string> forward_rules(const Ruleset& ruleset, Family family) {
    const bool decides = decides_forward(ruleset);
    if (!decides && ruleset.pools.empty() && !ruleset.clamp_mss) return {};
    Chain chain(ruleset, family, forward_chain(ruleset.interface));
    const std::string in = fmt::format("-i {} ", ruleset.interface);
    const std::string not_in = fmt::format("! -i {} ", ruleset.interface);
    const std::string out = fmt::format("-o {} ", ruleset.interface);
    const std::string not_out = fmt::format("! -o {} ", ruleset.interface);
    chain.spoofed();
    if (ruleset.clamp_mss) // before flows that are known: a SYN's answer has an MSS, too
        for (const auto& side : {in, out})
            chain.add(side + "-p tcp --tcp-flags SYN,RST SYN ", "TCPMSS --clamp-mss-to-pmtu");
    if (!decides) return chain.take();
    chain.add(not_in + not_out, "RETURN");
    chain.known_flows("");
    chain.icmp_of(icmp_types(family, false), "");
    if (ruleset.ping) chain.icmp_of(icmp_types(family, true).last(1), in);
    chain.rules(Hook::forward, true, true, in + out);
    chain.rules(Hook::forward, true, false, in + not_out);
    chain.rules(Hook::forward, false, true, not_in + out);
    if (ruleset.filter_forward) chain.drop();
    return chain.take();
}

std::vector<std::string> nat_rules(const Ruleset& ruleset, Family family) {
    Chain chain(ruleset, family, nat_chain(ruleset.interface));
    for (const auto& prefix : ruleset.unmasked)
        if (prefix.address.family() == family)
            chain.add(fmt::format("-d {} ", to_string(prefix)), "RETURN");
    for (const auto& prefix : ruleset.masquerade)
        if (prefix.address.family() == family)
            chain.add(fmt::format("! -o {} -s {} ", ruleset.interface, to_string(prefix)),
                      "MASQUERADE");
    return chain.take();
}

} // namespace wgkit::fw
