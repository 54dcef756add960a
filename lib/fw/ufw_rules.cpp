#include "fw/ufw_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "fw/traffic_text.hpp"
#include "util/ascii.hpp"

namespace wgkit::fw {

namespace {

using Words = std::vector<std::string_view>;

/// The words of "### tuple ### allow tcp 22 0.0.0.0/0 any 10.8.0.0/24 in_wg0 comment=6162": action,
/// protocol, ports, to, ports, from, then names of applications, which are there in pairs, and the
/// direction.
std::optional<Words> tuple_words(std::string_view line) {
    constexpr std::string_view start = "### tuple ### ";
    line = ascii::trim(line);
    if (!line.starts_with(start)) return std::nullopt;
    Words words;
    for (const auto word : ascii::split(line.substr(start.size()), ' '))
        if (!word.empty() && !word.starts_with("comment=")) words.push_back(word);
    if (words.size() == 9) words.erase(words.begin() + 6, words.begin() + 8);
    if (words.size() == 6) words.push_back("in");
    if (words.size() != 7) return std::nullopt;
    return words;
}

std::optional<std::vector<Traffic>> ufw_ports(std::string_view text, std::string_view protocol) {
    std::vector<std::uint8_t> over;
    if (protocol == "any") {
        if (text == "any") return std::vector{Traffic{}};
        over = {tcp, udp};
    } else {
        const auto number = protocol_number(protocol == "ipv6" ? "ipip" : protocol);
        if (!number) return std::nullopt;
        over = {protocol == "ipv6" ? std::uint8_t{41} : *number};
    }
    std::vector<Traffic> list;
    for (const auto number : over) {
        if (text == "any") {
            list.push_back({number});
            continue;
        }
        for (const auto part : ascii::split(text, ',')) {
            const auto colon = part.find(':');
            const auto first = ascii::to_number(part.substr(0, colon), 65535);
            const auto last =
                colon == part.npos ? first : ascii::to_number(part.substr(colon + 1), 65535);
            if (!first || !last) return std::nullopt;
            list.push_back(
                {number, static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)});
        }
    }
    return list;
}

bool read_address(std::string_view text, std::optional<Prefix>& address) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) return false;
    if (prefix->length != 0) address = *prefix;
    return true;
}

bool read_action(std::string_view word, UfwRule& rule) {
    if (word.starts_with("route:")) {
        rule.is_route = true;
        word.remove_prefix(6);
    }
    word = word.substr(0, word.find('_')); // _log, _log-all
    using Action = UfwRule::Action;
    static constexpr std::pair<std::string_view, Action> actions[] = {{"allow", Action::allow},
                                                                      {"limit", Action::limit},
                                                                      {"deny", Action::deny},
                                                                      {"reject", Action::reject}};
    for (const auto& [name, action] : actions)
        if (name == word) {
            rule.action = action;
            return true;
        }
    return false;
}

/// "in", "out", "in_wg0", "in_wg0!out_eth0".
void read_direction(std::string_view text, UfwRule& rule) {
    for (const auto part : ascii::split(text, '!')) {
        const bool out = part.starts_with("out");
        if (!rule.is_route) rule.is_out = out;
        const auto underscore = part.find('_');
        if (underscore == part.npos) continue;
        (out ? rule.out_interface : rule.in_interface) = part.substr(underscore + 1);
    }
}

std::string address_text(const std::optional<Prefix>& prefix) {
    if (!prefix) return "any";
    return prefix->length == prefix->address.bits() ? to_string(prefix->address)
                                                    : to_string(*prefix);
}

std::string text_of_rule(const Words& words, const UfwRule& rule) {
    std::string text =
        fmt::format("{}{}", rule.is_route ? "route " : "", words[0].substr(rule.is_route ? 6 : 0));
    text.resize(std::min(text.find('_'), text.size()));
    if (!rule.in_interface.empty()) text += " in on " + rule.in_interface;
    if (!rule.out_interface.empty()) text += " out on " + rule.out_interface;
    if (!rule.is_route && rule.is_out && rule.out_interface.empty()) text += " out";
    if (rule.from || !rule.from_ports.empty()) text += " from " + address_text(rule.from);
    if (!rule.from_ports.empty()) text += fmt::format(" port {}", words[4]);
    if (rule.to || words[2] != "any") text += " to " + address_text(rule.to);
    if (words[2] != "any") text += fmt::format(" port {}", words[2]);
    if (words[1] != "any") text += fmt::format(" proto {}", words[1]);
    return text;
}

std::optional<UfwRule> rule_of(const Words& words) {
    UfwRule rule;
    const auto traffic = ufw_ports(words[2], words[1]);
    if (!read_action(words[0], rule) || !traffic || !read_address(words[3], rule.to)
        || !read_address(words[5], rule.from))
        return std::nullopt;
    rule.traffic = *traffic;
    if (words[4] != "any") {
        const auto ports = ufw_ports(words[4], words[1]);
        if (!ports) return std::nullopt;
        rule.from_ports = *ports;
    }
    read_direction(words[6], rule);
    rule.text = text_of_rule(words, rule);
    return rule;
}

bool covers_traffic(const std::vector<Traffic>& a, const std::vector<Traffic>& b) {
    return std::all_of(b.begin(), b.end(), [&](const Traffic& one) {
        return std::any_of(a.begin(), a.end(), [&](const Traffic& wide) {
            return (!wide.protocol || wide.protocol == one.protocol)
                   && wide.first_port <= one.first_port && one.last_port <= wide.last_port;
        });
    });
}

bool covers_address(const std::optional<Prefix>& a, const std::optional<Prefix>& b) {
    return !a || (b && a->contains(*b));
}

} // namespace

std::vector<UfwRule> parse_ufw_rules(std::string_view file) {
    std::vector<UfwRule> rules;
    for (const auto line : ascii::split(file, '\n'))
        if (const auto words = tuple_words(line))
            if (auto rule = rule_of(*words)) rules.push_back(*std::move(rule));
    return rules;
}

bool covers(const UfwRule& a, const UfwRule& b) {
    return a.is_route == b.is_route && a.is_out == b.is_out
           && (a.in_interface.empty() || a.in_interface == b.in_interface)
           && (a.out_interface.empty() || a.out_interface == b.out_interface)
           && covers_address(a.from, b.from) && covers_address(a.to, b.to)
           && covers_traffic(a.traffic, b.traffic)
           && (a.from_ports.empty()
               || (!b.from_ports.empty() && covers_traffic(a.from_ports, b.from_ports)));
}

const UfwRule* deciding_rule(const std::vector<UfwRule>& rules, const Connection& connection) {
    for (const auto& rule : rules) {
        if (rule.is_route || rule.is_out || !rule.from_ports.empty()) continue;
        if (!rule.in_interface.empty() && rule.in_interface != connection.device) continue;
        if (rule.from && !rule.from->contains(connection.client)) continue;
        if (rule.to && !rule.to->contains(connection.server)) continue;
        if (std::any_of(rule.traffic.begin(), rule.traffic.end(),
                        [&](const Traffic& one) { return one.contains(tcp, connection.port); }))
            return &rule;
    }
    return nullptr;
}

} // namespace wgkit::fw
