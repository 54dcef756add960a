// firewalld asks policies with a negative priority before zones, in their order, and each policy by
// itself: so every direction is a policy that ends in DROP, from the narrowest to the widest pair
// of zones, and no zone's own rules are reached by packets of the tunnel.
#include "fw/firewalld.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fw/constants.hpp"
#include "fw/emitters.hpp"
#include "fw/interface.hpp"
#include "fw/origin.hpp"
#include "util/ascii.hpp"
#include "wgkit/version.hpp"

namespace wgkit::fw {

namespace {

constexpr std::size_t longest_name = 10; // of an interface: 18 less "wgkit-" and "-i"

std::string xml_escaped(std::string_view text) {
    std::string safe;
    for (const char c : text) switch (c) {
        case '&':
            safe += "&amp;";
            break;
        case '<':
            safe += "&lt;";
            break;
        case '>':
            safe += "&gt;";
            break;
        case '"':
            safe += "&quot;";
            break;
        default:
            safe += c < ' ' || c > '~' ? ' ' : c;
        }
    return safe;
}

const char* family_name(Family family) { return family == Family::ipv4 ? "ipv4" : "ipv6"; }

/// "<source address=.../>" for each prefix of the family; one without for any address.
std::vector<std::string> side_elements(const std::vector<Prefix>& prefixes, Family family,
                                       const char* side) {
    if (prefixes.empty()) return {""};
    std::vector<std::string> elements;
    for (const auto& prefix : prefixes)
        if (prefix.address.family() == family)
            elements.push_back(fmt::format("<{} address=\"{}\"/>", side, to_string(prefix)));
    return elements;
}

std::string traffic_element(const Traffic& traffic) {
    if (!traffic.protocol) return {};
    if (!has_ports(*traffic.protocol) || traffic.has_all_ports())
        return fmt::format("<protocol value=\"{}\"/>", *traffic.protocol);
    return fmt::format("<port port=\"{}\" protocol=\"{}\"/>",
                       traffic.first_port == traffic.last_port
                           ? fmt::format("{}", traffic.first_port)
                           : fmt::format("{}-{}", traffic.first_port, traffic.last_port),
                       protocol_name(*traffic.protocol));
}

/// The names that firewalld has for types of ICMP; 1.3 has none for those of multicast listeners.
const char* icmp_name(int type, Family family) {
    struct Name {
        int v4;
        int v6;
        const char* name;
    };
    static constexpr Name names[] = {
        {3, 1, "destination-unreachable"},   {11, 3, "time-exceeded"},
        {12, 4, "parameter-problem"},        {8, 128, "echo-request"},
        {-1, 2, "packet-too-big"},           {-1, 133, "router-solicitation"},
        {-1, 134, "router-advertisement"},   {-1, 135, "neighbour-solicitation"},
        {-1, 136, "neighbour-advertisement"}};
    for (const auto& one : names)
        if ((family == Family::ipv4 ? one.v4 : one.v6) == type) return one.name;
    return "";
}

/// Writes one policy.
class PolicyXml {
  public:
    PolicyXml(const Ruleset& ruleset, const char* from, const char* to, int priority, bool drops)
        : ruleset_(ruleset), drops_(drops) {
        const auto zone = [&](const char* name) {
            return *name == '\0' ? firewalld_name(ruleset.interface) : std::string(name);
        };
        text_ = fmt::format("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                            "<policy target=\"{}\" priority=\"{}\">\n"
                            "  <short>{} (wgkit)</short>\n"
                            "  <description>Written by wgkit; is replaced.</description>\n"
                            "  <ingress-zone name=\"{}\"/>\n  <egress-zone name=\"{}\"/>\n",
                            drops ? "DROP" : "CONTINUE", priority, ruleset.interface, zone(from),
                            zone(to));
    }

    void rule(Family family, std::string_view content) {
        text_ += fmt::format("  <rule family=\"{}\">{}</rule>\n", family_name(family), content);
    }
    /// Sources that may come out of the tunnel only; asked before what is let through.
    void spoofed() {
        for (const auto& pool : ruleset_.pools)
            text_ += fmt::format("  <rule family=\"{}\" priority=\"-10\"><source address=\"{}\"/>"
                                 "<drop/></rule>\n",
                                 family_name(pool.address.family()), to_string(pool));
    }
    void icmp_of(Family family, std::span<const int> types) {
        for (const int type : types)
            if (*icmp_name(type, family) != '\0')
                rule(family,
                     fmt::format("<icmp-type name=\"{}\"/><accept/>", icmp_name(type, family)));
    }
    void port(std::uint16_t number, Family family) {
        rule(family, fmt::format("<port port=\"{}\" protocol=\"udp\"/><accept/>", number));
    }
    void clamp() {
        if (ruleset_.clamp_mss) text_ += "  <rule><tcp-mss-clamp value=\"pmtu\"/></rule>\n";
    }
    void rules(Hook hook, bool in_tunnel, bool out_tunnel) {
        for (const auto& rule : ruleset_.rules)
            if (rule.hook == hook && rule.in_tunnel == in_tunnel
                && (hook == Hook::input || rule.out_tunnel == out_tunnel))
                for (const Family family : {Family::ipv4, Family::ipv6}) accept(rule, family);
    }
    std::string take() {
        if (drops_ && ruleset_.log)
            text_ += fmt::format("  <rule priority=\"32767\"><log prefix=\"wgkit-drop {}: \">"
                                 "<limit value=\"10/m\"/></log></rule>\n",
                                 ruleset_.interface);
        return text_ + "</policy>\n";
    }

  private:
    void accept(const Rule& made, Family family) {
        std::string action;
        if (made.log)
            action += fmt::format("<log prefix=\"wgkit-allow {}: \"/>", ruleset_.interface);
        const char* unit = made.limit.seconds == 1      ? "s"
                           : made.limit.seconds == 60   ? "m"
                           : made.limit.seconds == 3600 ? "h"
                                                        : "d";
        action += made.limit.count == 0 ? std::string("<accept/>")
                                        : fmt::format("<accept><limit value=\"{}/{}\"/></accept>",
                                                      made.limit.count, unit);
        std::string lines;
        for (const auto& from : side_elements(made.from, family, "source"))
            for (const auto& to : side_elements(made.to, family, "destination"))
                for (const auto& traffic : made.traffic) {
                    const bool is_other_icmp =
                        traffic.protocol
                        && (*traffic.protocol == icmp || *traffic.protocol == icmpv6)
                        && *traffic.protocol != icmp_protocol(family);
                    if (is_other_icmp) continue;
                    std::string matches = from + to + traffic_element(traffic);
                    // A rule must ask for something.
                    if (matches.empty())
                        matches = fmt::format("<source address=\"{}\"/>",
                                              family == Family::ipv4 ? "0.0.0.0/0" : "::/0");
                    lines += fmt::format("  <rule family=\"{}\">{}{}</rule>\n", family_name(family),
                                         matches, action);
                }
        if (lines.empty()) return;
        std::string comment = xml_escaped(origin_of(ruleset_, made));
        for (auto at = comment.find("--"); at != comment.npos; at = comment.find("--"))
            comment.replace(at, 2, "- "); // the end of a comment
        text_ += fmt::format("  <!-- {} -->\n{}", comment, lines);
    }

    const Ruleset& ruleset_;
    bool drops_;
    std::string text_;
};

constexpr Family both_families[] = {Family::ipv4, Family::ipv6};

std::string outside_policy(const Ruleset& ruleset) {
    PolicyXml policy(ruleset, "ANY", "HOST", -190, ruleset.closed);
    policy.spoofed();
    for (const Family family : both_families) {
        if (ruleset.closed) {
            policy.icmp_of(family, icmp_types(family, ruleset.ping));
            policy.icmp_of(family, neighbour_types(family));
            policy.port(dhcp_client_port(family), family);
        }
        for (const auto port : listen_ports(ruleset)) policy.port(port, family);
    }
    policy.rules(Hook::input, false, false);
    return policy.take();
}

std::string tunnel_policy(const Ruleset& ruleset) {
    PolicyXml policy(ruleset, "", "HOST", -200, true);
    for (const Family family : both_families)
        policy.icmp_of(family, icmp_types(family, ruleset.ping));
    policy.rules(Hook::input, true, false);
    return policy.take();
}

std::string exceptions_name(const Ruleset& ruleset, Family family) {
    return firewalld_name(ruleset.interface) + (family == Family::ipv4 ? "-4" : "-6");
}

/// Destinations that packets leave for under their own address.
std::string exceptions_ipset(const Ruleset& ruleset, Family family) {
    const auto of_family = [&](const Prefix& prefix) { return prefix.address.family() == family; };
    if (std::none_of(ruleset.masquerade.begin(), ruleset.masquerade.end(), of_family)) return {};
    std::string text =
        fmt::format("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<ipset type=\"hash:net\">\n"
                    "  <short>{} (wgkit)</short>\n  <option name=\"family\" value=\"{}\"/>\n",
                    ruleset.interface, family == Family::ipv4 ? "inet" : "inet6");
    for (const auto* list : {&ruleset.pools, &ruleset.unmasked})
        for (const auto& prefix : *list)
            if (of_family(prefix)) text += fmt::format("  <entry>{}</entry>\n", to_string(prefix));
    return text + "</ipset>\n";
}

std::string forward_policy(const Ruleset& ruleset, bool in, bool out) {
    const int priority = !in ? -160 : out ? -180 : -170;
    PolicyXml policy(ruleset, in ? "" : "ANY", out ? "" : "ANY", priority, ruleset.filter_forward);
    if (!in) policy.spoofed();
    policy.clamp();
    for (const Family family : both_families)
        policy.icmp_of(family, icmp_types(family, in && ruleset.ping));
    if (in && !out)
        for (const auto& prefix : ruleset.masquerade) {
            const Family family = prefix.address.family();
            policy.rule(family, fmt::format("<source address=\"{}\"/><destination ipset=\"{}\" "
                                            "invert=\"yes\"/><masquerade/>",
                                            to_string(prefix), exceptions_name(ruleset, family)));
        }
    policy.rules(Hook::forward, in, out);
    return policy.take();
}

std::string zone_xml(const Ruleset& ruleset) {
    std::string interfaces;
    for (const auto& device : tunnel_devices(ruleset))
        interfaces += fmt::format("  <interface name=\"{}\"/>\n", device);
    return fmt::format("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<zone target=\"DROP\">\n"
                       "  <short>{0} (wgkit)</short>\n"
                       "  <description>Written by wgkit; is replaced.</description>\n"
                       "{1}</zone>\n",
                       ruleset.interface, interfaces);
}

std::string firewalld_header(const std::string& interface, std::string_view what) {
    return fmt::format("#!/bin/sh\n# {} {}, for firewalld; written by wgkit {}.\n"
                       "# Run it as root, as often as you like: it replaces what it wrote before.\n"
                       "set -eu\n\nfolder=/etc/firewalld\n",
                       what, interface, version);
}

} // namespace

std::string firewalld_name(const std::string& interface) { return "wgkit-" + interface; }

std::string firewalld_path(const std::string& interface, const FirewalldFile& file) {
    return fmt::format("{}/{}{}.xml", file.folder, firewalld_name(interface), file.suffix);
}

Result<void> check_firewalld_interface(const std::string& interface) {
    const bool fits = std::all_of(interface.begin(), interface.end(), [](char c) {
        return ascii::is_alnum(c) || c == '_' || c == '-';
    });
    if (fits && interface.size() <= longest_name) return {};
    return Error{Errc::invalid, fmt::format("firewalld has no name for a zone of '{}'", interface),
                 "there an interface has at most 10 letters, digits and _-"};
}

std::vector<std::string> firewalld_texts(const Ruleset& ruleset) {
    std::vector<std::string> texts(firewalld_files.size());
    texts[0] = zone_xml(ruleset);
    texts[1] = tunnel_policy(ruleset);
    texts[2] = outside_policy(ruleset);
    if (decides_forward(ruleset)) {
        texts[3] = forward_policy(ruleset, true, true);
        texts[4] = forward_policy(ruleset, true, false);
        texts[5] = forward_policy(ruleset, false, true);
    }
    if (!ruleset.pools.empty() && ruleset.filter_forward) {
        PolicyXml elsewhere(ruleset, "ANY", "ANY", -150, false);
        elsewhere.spoofed();
        texts[6] = elsewhere.take();
    }
    texts[7] = exceptions_ipset(ruleset, Family::ipv4);
    texts[8] = exceptions_ipset(ruleset, Family::ipv6);
    return texts;
}

std::string emit_firewalld(const Ruleset& ruleset) {
    std::string text = firewalld_header(ruleset.interface, "The rules of");
    text += "work=$(mktemp -d)\ntrap 'rm -rf \"$work\"' EXIT\n"
            "cp -R \"$folder\" \"$work/old\"\ncp -R \"$folder\" \"$work/new\"\n"
            "mkdir -p \"$work/new/zones\" \"$work/new/policies\" \"$work/new/ipsets\"\n";
    const auto texts = firewalld_texts(ruleset);
    std::string paths;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::string path = firewalld_path(ruleset.interface, firewalld_files.at(i));
        paths += " " + path;
        text += texts[i].empty()
                    ? fmt::format("rm -f \"$work/new/{}\"\n", path)
                    : fmt::format("cat >\"$work/new/{}\" <<'END'\n{}END\n", path, texts[i]);
    }
    text +=
        "firewall-offline-cmd --system-config=\"$work/new\" --check-config >&2\n\n"
        "# install FROM: its files in place of those that are there.\ninstall() {\n  for path in"
        + paths + R"sh(; do
    if [ -e "$1/$path" ]; then
      mkdir -p "$folder/${path%/*}"
      cp "$1/$path" "$folder/$path.new"
      mv "$folder/$path.new" "$folder/$path"
    else
      rm -f "$folder/$path"
    fi
  done
  state=0
  firewall-cmd --state >/dev/null 2>&1 || state=$?
  # 251: it runs, but its last reload failed; this one may mend it.
  case $state in 0 | 251) firewall-cmd --reload >&2 ;; esac
}
install "$work/new" || {
  install "$work/old"
  echo "wgkit fw: error: firewalld did not load the rules; the old ones are back" >&2
  exit 1
}
)sh";
    return text;
}

std::string remove_firewalld(const std::string& interface) {
    std::string text = firewalld_header(interface, "Removes the rules of");
    for (const auto& file : firewalld_files)
        text += fmt::format("rm -f \"$folder/{}\"\n", firewalld_path(interface, file));
    return text
           + "state=0\nfirewall-cmd --state >/dev/null 2>&1 || state=$?\n"
             "case $state in 0 | 251) firewall-cmd --reload >&2 ;; esac\n";
}

} // namespace wgkit::fw
