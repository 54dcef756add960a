#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "util/ascii.hpp"
#include "util/interface_name.hpp"
#include "wgkit/firewall.hpp"
#include "wgkit/result.hpp"

namespace wgkit::fw {

/// Names that mean one interface in every firewall and need no quotes in a shell: what inventories
/// take, but no '+', which iptables takes for a wildcard.
inline Result<void> check_interface(const std::string& name) {
    const auto fits = [](char c) {
        return ascii::is_alnum(c) || c == '_' || c == '-' || c == '=' || c == '.';
    };
    if (!name.empty() && name.size() < 16 && ascii::is_alnum(name.front())
        && std::all_of(name.begin(), name.end(), fits))
        return {};
    std::string shown = name;
    for (char& c : shown)
        if (c < ' ' || c > '~') c = '?';
    return Error{
        Errc::invalid,
        fmt::format("'{}' is no name of an interface that rules can be written for", shown),
        "1 to 15 letters, digits and _=.-"};
}

/// Lets the second device of a rotation of keys through as the interface.
inline void cover_second(Ruleset& ruleset) {
    ruleset.second_interface = second_interface(ruleset.interface);
    if (!ruleset.second_interface.empty() && ruleset.listen_port != 0)
        ruleset.second_port = second_port(ruleset.listen_port);
}

/// The devices that are the tunnel.
inline std::vector<std::string> tunnel_devices(const Ruleset& ruleset) {
    if (ruleset.second_interface.empty()) return {ruleset.interface};
    return {ruleset.interface, ruleset.second_interface};
}

/// The ports that WireGuard listens on.
inline std::vector<std::uint16_t> listen_ports(const Ruleset& ruleset) {
    std::vector<std::uint16_t> ports;
    for (const auto port : {ruleset.listen_port, ruleset.second_port})
        if (port != 0) ports.push_back(port);
    return ports;
}

} // namespace wgkit::fw
