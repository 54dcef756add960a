#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "util/ascii.hpp"
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

} // namespace wgkit::fw
