#pragma once

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "wgkit/result.hpp"

namespace wgkit {

/// The kernel's rules for names of interfaces, and what may stand in a path and on a terminal.
inline bool is_interface_name(const std::string& name) {
    return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".."
           && std::all_of(name.begin(), name.end(), [](char c) {
                  return c > ' ' && c <= '~' && c != '/' && c != ':' && c != '%';
              });
}

/// The name that the second device of a rotation of keys has unless somebody says otherwise
/// (wgkit-net(8)); empty if it would be too long.
inline std::string second_interface(const std::string& interface) {
    std::string name = interface + "-2";
    return is_interface_name(name) ? name : std::string();
}

/// Its port.
constexpr std::uint16_t second_port(std::uint16_t first) {
    constexpr std::uint16_t distance = 100;
    return static_cast<std::uint16_t>(first > 65535 - distance ? first - distance
                                                               : first + distance);
}

/// The Error for a name that is none; repeats no control characters.
inline Error no_interface_name(std::string name) {
    for (char& c : name)
        if (c < ' ' || c > '~') c = '?';
    return {Errc::invalid, fmt::format("'{}' is no name for an interface", name),
            "1 to 15 characters without '/', ':', '%' and white space"};
}

} // namespace wgkit
