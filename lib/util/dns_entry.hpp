#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "util/ascii.hpp"
#include "wgkit/ip.hpp"

/// Entries of `DNS =`, which are addresses of servers and search domains in one list.
namespace wgkit {

/// Letters, digits and some of the other characters, at least one.
inline bool is_name_of(std::string_view text, std::string_view others) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return ascii::is_alnum(c) || others.find(c) != std::string_view::npos;
    });
}

/// Whether wg-quick takes the entry for a server; else it is a search domain.
inline bool is_dns_server(std::string_view text) {
    return text.find(':') != std::string_view::npos
           || (!text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
                  return ascii::is_digit(c) || c == '.';
              }));
}

/// The entry in canonical form: an address, perhaps with a scope, or a domain; nothing if it is
/// neither.
inline std::optional<std::string> dns_entry(std::string_view text) {
    if (!is_dns_server(text))
        return is_name_of(text, "._~-") ? std::optional(std::string(text)) : std::nullopt;
    const auto percent = text.find('%');
    const bool scoped = percent != std::string_view::npos;
    const auto address = IpAddress::parse(text.substr(0, percent));
    if (!address || (scoped && (address->is_v4() || !is_name_of(text.substr(percent + 1), "._-"))))
        return std::nullopt;
    return to_string(*address) + std::string(scoped ? text.substr(percent) : "");
}

} // namespace wgkit
