#include "fw/traffic_text.hpp"

#include <fmt/format.h>

#include <array>

#include "util/ascii.hpp"

namespace wgkit::fw {

namespace {

struct ProtocolName {
    std::string_view name;
    std::uint8_t number;
};

/// The names that every back end knows, too.
constexpr std::array protocols{
    ProtocolName{"tcp", tcp}, ProtocolName{"udp", udp},       ProtocolName{"icmp", icmp},
    ProtocolName{"gre", 47},  ProtocolName{"icmpv6", icmpv6}, ProtocolName{"esp", 50},
    ProtocolName{"ah", 51},   ProtocolName{"sctp", sctp},     ProtocolName{"igmp", 2},
    ProtocolName{"ipip", 4},  ProtocolName{"ospf", 89},       ProtocolName{"vrrp", 112},
};

Error bad(std::string message, std::string hint) {
    return {Errc::invalid, std::move(message), std::move(hint)};
}

Result<std::uint16_t> parse_port(std::string_view text) {
    const auto port = ascii::to_number(text, 0xFFFF);
    if (port && *port != 0) return static_cast<std::uint16_t>(*port);
    const bool is_number = ascii::to_number(text, UINT64_MAX).has_value();
    if (is_number)
        return bad(fmt::format("port {} is out of range", text), "ports go from 1 to 65535");
    return bad(fmt::format("'{}' is not a port number", text),
               "write e.g. 443/tcp, 80,443/tcp, 8000-8010/udp, icmp or any");
}

Result<std::pair<std::uint16_t, std::uint16_t>> parse_range(std::string_view text) {
    const auto dash = text.find_first_of("-:");
    const auto first = parse_port(text.substr(0, dash));
    if (!first || dash == text.npos)
        return first ? Result(std::pair(*first, *first))
                     : Result<std::pair<std::uint16_t, std::uint16_t>>(first.error());
    const auto last = parse_port(text.substr(dash + 1));
    if (!last) return last.error();
    if (*last < *first)
        return bad(fmt::format("the range {} ends before it begins", text),
                   fmt::format("write {}-{}", *last, *first));
    return std::pair(*first, *last);
}

/// A protocol by itself: the name, or `proto:NUMBER`.
std::optional<std::vector<Traffic>> whole_protocol(std::string_view text) {
    if (text == "any" || text == "*") return std::vector{Traffic{}};
    if (text == "icmp") return std::vector{Traffic{icmp}, Traffic{icmpv6}};
    if (text.starts_with("proto:"))
        if (const auto number = ascii::to_number(text.substr(6), 255))
            return std::vector{Traffic{static_cast<std::uint8_t>(*number)}};
    if (const auto number = protocol_number(text)) return std::vector{Traffic{*number}};
    return std::nullopt;
}

Error unknown_protocol(std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& one : protocols) names.push_back(one.name);
    Error error = bad(fmt::format("no protocol '{}'", name), "a number is written proto:89");
    if (const auto near = ascii::nearest(name, names))
        error.hint = fmt::format("did you mean '{}'?", *near);
    return error;
}

} // namespace

std::optional<std::uint8_t> protocol_number(std::string_view name) {
    for (const auto& one : protocols)
        if (one.name == name) return one.number;
    return std::nullopt;
}

std::string protocol_name(std::uint8_t protocol) {
    for (const auto& one : protocols)
        if (one.number == protocol) return std::string(one.name);
    return fmt::format("proto:{}", protocol);
}

bool Traffic::contains(std::uint8_t other_protocol, std::uint16_t port) const {
    if (protocol && *protocol != other_protocol) return false;
    return !protocol || !has_ports(other_protocol) || (port >= first_port && port <= last_port);
}

std::string to_string(const Traffic& traffic) {
    if (!traffic.protocol) return "any";
    const std::string name = protocol_name(*traffic.protocol);
    if (traffic.has_all_ports()) return name;
    if (traffic.first_port == traffic.last_port)
        return fmt::format("{}/{}", traffic.first_port, name);
    return fmt::format("{}-{}/{}", traffic.first_port, traffic.last_port, name);
}

Result<std::vector<Traffic>> parse_traffic(std::string_view text) {
    text = ascii::trim(text);
    if (text.empty()) return bad("no port and no protocol", "write e.g. 443/tcp or any");
    if (auto whole = whole_protocol(text)) return *std::move(whole);
    std::vector<std::uint8_t> over{tcp, udp};
    if (const auto slash = text.find('/'); slash != text.npos) {
        const auto name = text.substr(slash + 1);
        const auto number = protocol_number(name);
        if (!number) return unknown_protocol(name);
        if (!has_ports(*number))
            return bad(fmt::format("{} has no ports", name), fmt::format("write just {}", name));
        over = {*number};
        text = text.substr(0, slash);
    } else if (!text.empty() && !ascii::is_digit(text.front())) {
        return unknown_protocol(text);
    }
    std::vector<Traffic> list;
    for (const auto part : ascii::split(text, ',')) {
        const auto range = parse_range(ascii::trim(part));
        if (!range) return range.error();
        for (const auto protocol : over) list.push_back({protocol, range->first, range->second});
    }
    return list;
}

} // namespace wgkit::fw
