// One table of our own, replaced in one transaction. Which interface a packet uses is asked first,
// by rules, and the sets behind hold no interfaces: with them in the key a lookup among 10,000
// elements took twenty times longer.
#include <fmt/format.h>

#include <algorithm>

#include "fw/constants.hpp"
#include "fw/emitters.hpp"
#include "fw/interface.hpp"
#include "fw/nft_sets.hpp"
#include "fw/origin.hpp"
#include "util/aggregate.hpp"
#include "wgkit/version.hpp"

namespace wgkit::fw {

namespace {

constexpr std::size_t max_comment = 127; // NFTNL_UDATA_COMMENT_MAXLEN less its end

std::string list_of(std::span<const int> numbers) {
    return fmt::format("{}", fmt::join(numbers, ", "));
}

/// What iifname and oifname are compared with: `"wg0"`, or a set of two.
std::string devices_of(const Ruleset& ruleset) {
    const auto devices = tunnel_devices(ruleset);
    if (devices.size() == 1) return fmt::format("\"{}\"", devices.front());
    return fmt::format("{{ \"{}\" }}", fmt::join(devices, "\", \""));
}

std::string comment_of(const Ruleset& ruleset, const Rule& rule) {
    std::string text = origin_of(ruleset, rule);
    for (char& c : text)
        if (c == '"' || c == '\\' || c < ' ' || c > '~') c = ' ';
    if (text.size() > max_comment) text.resize(max_comment);
    return text.empty() ? "" : fmt::format(" comment \"{}\"", text);
}

std::string addresses(const std::vector<Prefix>& prefixes, Family family, std::string_view field) {
    if (prefixes.empty()) return {};
    // In sets of one field nothing may overlap.
    std::string list;
    for (const auto& prefix : aggregate(prefixes))
        if (prefix.address.family() == family)
            list += (list.empty() ? "" : ", ") + to_string(prefix);
    return fmt::format("{} {} {{ {} }} ", family == Family::ipv4 ? "ip" : "ip6", field, list);
}

bool has(const std::vector<Prefix>& prefixes, Family family) {
    return prefixes.empty() || std::any_of(prefixes.begin(), prefixes.end(), [&](const Prefix& p) {
               return p.address.family() == family;
           });
}

/// The ports of one protocol, those that touch as one.
std::vector<Traffic> port_ranges(const std::vector<Traffic>& list, std::uint8_t protocol) {
    std::vector<Traffic> ranges;
    for (const auto& one : list)
        if (one.protocol == protocol) ranges.push_back(one);
    std::sort(ranges.begin(), ranges.end());
    std::vector<Traffic> merged;
    for (const auto& one : ranges) {
        if (!merged.empty() && one.first_port <= merged.back().last_port + 1U)
            merged.back().last_port = std::max(merged.back().last_port, one.last_port);
        else
            merged.push_back(one);
    }
    return merged;
}

/// "meta l4proto 6 th dport { 80, 443 }" for each protocol of a rule.
std::vector<std::string> traffic_matches(const std::vector<Traffic>& list, Family family) {
    std::vector<std::string> matches;
    std::vector<std::uint8_t> done;
    for (const auto& first : list) {
        if (!first.protocol) return {""};
        const auto protocol = *first.protocol;
        if ((protocol == icmp || protocol == icmpv6) && protocol != icmp_protocol(family)) continue;
        if (std::find(done.begin(), done.end(), protocol) != done.end()) continue;
        done.push_back(protocol);
        const auto ranges = port_ranges(list, protocol);
        if (ranges.front().has_all_ports()) {
            matches.push_back(fmt::format("meta l4proto {} ", protocol));
            continue;
        }
        std::string ports;
        for (const auto& one : ranges) {
            ports += ports.empty() ? "" : ", ";
            ports += one.first_port == one.last_port
                         ? fmt::format("{}", one.first_port)
                         : fmt::format("{}-{}", one.first_port, one.last_port);
        }
        matches.push_back(fmt::format("meta l4proto {} th dport {{ {} }} ", protocol, ports));
    }
    return matches;
}

/// A rule that is no element of a set: for any address, logged or limited.
std::string own_rules(const Ruleset& ruleset, const Rule& rule, std::string_view indent) {
    static constexpr std::pair<std::uint32_t, const char*> units[] = {
        {1, "second"}, {60, "minute"}, {3600, "hour"}, {86400, "day"}};
    std::string action;
    if (rule.limit.count != 0)
        for (const auto& [seconds, unit] : units)
            if (seconds == rule.limit.seconds)
                action +=
                    fmt::format("limit rate {0}/{1} burst {0} packets ", rule.limit.count, unit);
    if (rule.log) action += fmt::format("log prefix \"wgkit-allow {}: \" ", ruleset.interface);
    action += "accept" + comment_of(ruleset, rule);
    std::string text;
    const bool any_address = rule.from.empty() && rule.to.empty();
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        if (!has(rule.from, family) || !has(rule.to, family)) continue;
        const auto matches = traffic_matches(rule.traffic, family);
        for (const auto& match : matches) {
            const std::string line =
                fmt::format("{}{}{}{}{}\n", indent, addresses(rule.from, family, "saddr"),
                            addresses(rule.to, family, "daddr"), match, action);
            // Without addresses the line for the other family may be the same.
            if (!any_address || text.find(line) == text.npos) text += line;
        }
    }
    return text;
}

/// Writes the sets of one direction and the lines that look packets up in them.
class Direction {
  public:
    Direction(const Ruleset& ruleset, Hook hook, bool in_tunnel, bool out_tunnel,
              const std::string& name)
        : ruleset_(ruleset), sets_(make_sets(ruleset, hook, in_tunnel, out_tunnel, name)) {
        for (const auto& rule : ruleset.rules) {
            const bool is_here = rule.hook == hook && rule.in_tunnel == in_tunnel
                                 && (hook == Hook::input || rule.out_tunnel == out_tunnel);
            const bool is_alone =
                (rule.from.empty() && rule.to.empty()) || rule.log || rule.limit.count != 0;
            if (is_here && is_alone) alone_.push_back(&rule);
        }
    }
    std::string declarations() const {
        std::string text;
        for (const auto& set : sets_) text += set.declaration;
        return text;
    }
    std::string lines(std::string_view indent) const {
        std::string text;
        for (const auto* rule : alone_) text += own_rules(ruleset_, *rule, indent);
        for (const auto& set : sets_) text += fmt::format("{}{} accept\n", indent, set.lookup);
        return text;
    }

  private:
    const Ruleset& ruleset_;
    std::vector<NftSet> sets_;
    std::vector<const Rule*> alone_;
};

std::string spoofed(const Ruleset& ruleset) {
    std::string text;
    for (const Family family : {Family::ipv4, Family::ipv6})
        if (!ruleset.pools.empty() && has(ruleset.pools, family))
            text += fmt::format("    iifname != {} {}drop\n", devices_of(ruleset),
                                addresses(ruleset.pools, family, "saddr"));
    return text;
}

constexpr std::string_view known_flows =
    "    ct state vmap { established : accept, related : accept, invalid : drop }\n";

std::string icmp_lines(bool ping, std::string_view match) {
    return fmt::format("    {}icmp type {{ {} }} accept\n    {}icmpv6 type {{ {} }} accept\n",
                       match, list_of(icmp_types(Family::ipv4, ping)), match,
                       list_of(icmp_types(Family::ipv6, ping)));
}

std::string drop_lines(const Ruleset& ruleset) {
    std::string text;
    if (ruleset.log)
        text += fmt::format("    limit rate 10/minute log prefix \"wgkit-drop {}: \"\n",
                            ruleset.interface);
    return text + "    counter drop\n";
}

std::string outside_chain(const Ruleset& ruleset, const Direction& direction) {
    std::string text = "  chain outside_in {\n";
    if (ruleset.closed) {
        text += known_flows;
        text += icmp_lines(ruleset.ping, "");
        text += fmt::format("    icmpv6 type {{ {} }} accept\n",
                            list_of(neighbour_types(Family::ipv6)));
        text += fmt::format("    meta nfproto ipv4 udp dport {} accept\n    meta nfproto ipv6 udp "
                            "dport {} accept\n",
                            dhcp_client_port(Family::ipv4), dhcp_client_port(Family::ipv6));
    }
    for (const auto port : listen_ports(ruleset))
        text +=
            fmt::format("    udp dport {} accept comment \"WireGuard {}\"\n", port,
                        port == ruleset.listen_port ? ruleset.interface : ruleset.second_interface);
    text += direction.lines("    ");
    if (ruleset.closed) text += drop_lines(ruleset);
    return text + "  }\n";
}

std::string nat_chain(const Ruleset& ruleset) {
    std::string text;
    for (const Family family : {Family::ipv4, Family::ipv6})
        if (!ruleset.masquerade.empty() && has(ruleset.masquerade, family))
            text += fmt::format("    oifname != {} {}{}masquerade\n", devices_of(ruleset),
                                addresses(ruleset.masquerade, family, "saddr"),
                                ruleset.unmasked.empty() || !has(ruleset.unmasked, family)
                                    ? ""
                                    : addresses(ruleset.unmasked, family, "daddr !="));
    if (text.empty()) return text;
    return "  chain postrouting {\n    type nat hook postrouting priority srcnat; policy accept;\n"
           + text + "  }\n";
}

std::string mss_chain(const Ruleset& ruleset) {
    if (!ruleset.clamp_mss) return {};
    std::string text =
        "  chain mss {\n    type filter hook forward priority mangle; policy accept;\n";
    for (const char* side : {"iifname", "oifname"})
        text += fmt::format("    {} {} tcp flags syn / syn,rst tcp option maxseg size set rt mtu\n",
                            side, devices_of(ruleset));
    return text + "  }\n";
}

} // namespace

std::string nft_table(const std::string& interface) {
    // Names in nft's language hold letters, digits and "/\\_."; interfaces may hold '-' and '=',
    // too.
    // '/' stands in no interface's name, so that no two names become one.
    std::string name = "wgkit_fw_";
    for (const char c : interface) name += c == '-' ? "/m" : c == '=' ? "/e" : std::string(1, c);
    return name;
}

std::string emit_nftables(const Ruleset& ruleset) {
    const std::string& name = ruleset.interface;
    const std::string table = nft_table(name);
    const std::string devices = devices_of(ruleset);
    const Direction in(ruleset, Hook::input, true, false, "in");
    const Direction outside(ruleset, Hook::input, false, false, "outside");
    const Direction hub(ruleset, Hook::forward, true, true, "hub");
    const Direction to_outside(ruleset, Hook::forward, true, false, "leave");
    const Direction from_outside(ruleset, Hook::forward, false, true, "enter");

    std::string text = fmt::format(
        "#!/usr/sbin/nft -f\n# The rules of {0}, for nftables; written by wgkit {1}.\n"
        "# Loading it replaces the table in one step; declared first, deleting never fails.\n"
        "table inet {2}\ndelete table inet {2}\ntable inet {2} {{\n",
        name, version, table);
    for (const auto* direction : {&in, &outside, &hub, &to_outside, &from_outside})
        text += direction->declarations();
    text +=
        fmt::format("  chain input {{\n    type filter hook input priority filter; policy accept;\n"
                    "    iifname \"lo\" accept\n{}"
                    "    iifname != {} goto outside_in\n    goto tunnel_in\n  }}\n",
                    spoofed(ruleset), devices);
    text += outside_chain(ruleset, outside);
    text += fmt::format("  chain tunnel_in {{\n{}{}{}{}  }}\n", known_flows,
                        icmp_lines(ruleset.ping, ""), in.lines("    "), drop_lines(ruleset));
    const bool decides = decides_forward(ruleset);
    if (decides || !ruleset.pools.empty()) {
        text += fmt::format(
            "  chain forward {{\n    type filter hook forward priority filter; policy accept;\n{}",
            spoofed(ruleset));
        if (decides)
            text += fmt::format("    iifname {0} goto tunnel_forward\n"
                                "    oifname {0} goto tunnel_forward\n",
                                devices);
        text += "  }\n";
    }
    if (decides) {
        text += "  chain tunnel_forward {\n" + std::string(known_flows) + icmp_lines(false, "");
        if (ruleset.ping)
            text += fmt::format("    iifname {0} icmp type 8 accept\n"
                                "    iifname {0} icmpv6 type 128 accept\n",
                                devices);
        text += fmt::format("    iifname != {0} goto enters\n    oifname {0} goto stays\n"
                            "    goto leaves\n  }}\n",
                            devices);
        const std::string end = ruleset.filter_forward ? drop_lines(ruleset) : "";
        text += fmt::format("  chain enters {{\n{}{}  }}\n", from_outside.lines("    "), end);
        text += fmt::format("  chain stays {{\n{}{}  }}\n", hub.lines("    "), end);
        text += fmt::format("  chain leaves {{\n{}{}  }}\n", to_outside.lines("    "), end);
    }
    return text + nat_chain(ruleset) + mss_chain(ruleset) + "}\n";
}

std::string remove_nftables(const std::string& interface) {
    const std::string table = nft_table(interface);
    return fmt::format("#!/usr/sbin/nft -f\ntable inet {0}\ndelete table inet {0}\n", table);
}

} // namespace wgkit::fw
