#pragma once

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
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

/// The Error for a name that is none; repeats no control characters.
inline Error no_interface_name(std::string name) {
    for (char& c : name)
        if (c < ' ' || c > '~') c = '?';
    return {Errc::invalid, fmt::format("'{}' is no name for an interface", name),
            "1 to 15 characters without '/', ':', '%' and white space"};
}

} // namespace wgkit
