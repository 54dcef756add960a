#include "config/endpoint.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "config/value.hpp"
#include "util/ascii.hpp"

namespace wgkit::config {

namespace {

Error invalid(std::string message, std::string hint = {}) {
    return {Errc::invalid, std::move(message), std::move(hint)};
}

bool is_host_name(std::string_view text) {
    constexpr std::size_t longest = 253;
    return !text.empty() && text.size() <= longest
           && std::all_of(text.begin(), text.end(), [](char c) {
                  return ascii::is_alnum(c) || c == '.' || c == '-' || c == '_';
              });
}

/// An address in canonical form; IPv6 may have a scope.
std::optional<std::string> canonical_address(std::string_view host) {
    const auto percent = host.find('%');
    const auto address = IpAddress::parse(host.substr(0, percent));
    if (!address) return std::nullopt;
    if (percent == std::string_view::npos) return to_string(*address);
    const auto scope = host.substr(percent + 1);
    if (address->is_v4() || !is_host_name(scope)) return std::nullopt;
    return fmt::format("{}%{}", to_string(*address), scope);
}

/// `127.1`, `0x7f000001` and the like, which the C library takes for IPv4 addresses.
std::optional<std::string> legacy_ipv4(std::string_view host) {
    std::array<char, 64> terminated{};
    if (host.empty() || host.size() >= terminated.size() || !ascii::is_digit(host.front()))
        return std::nullopt;
    std::copy(host.begin(), host.end(), terminated.begin());
    in_addr address{};
    if (::inet_aton(terminated.data(), &address) == 0) return std::nullopt;
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &address.s_addr, bytes.size());
    return to_string(IpAddress::from_bytes(Family::ipv4, bytes));
}

struct Parts {
    std::string_view host;
    std::string_view port;
    bool bracketed = false;
};

Result<Parts> split(std::string_view text) {
    if (!text.starts_with('[')) {
        const auto colon = text.rfind(':');
        if (colon == std::string_view::npos || colon + 1 == text.size())
            return invalid(fmt::format("{} has no port", quoted(text)), "write host:51820");
        return Parts{text.substr(0, colon), text.substr(colon + 1)};
    }
    const auto end = text.find(']');
    if (end == std::string_view::npos)
        return invalid(fmt::format("{} has no closing bracket", quoted(text)));
    if (text.size() < end + 3 || text[end + 1] != ':')
        return invalid(fmt::format("{} has no port", quoted(text)), "write [address]:51820");
    return Parts{text.substr(1, end - 1), text.substr(end + 2), true};
}

} // namespace

Result<ReadEndpoint> parse_endpoint(std::string_view text) {
    const auto parts = split(text);
    if (!parts) return parts.error();
    const auto port = ascii::to_number(parts->port, 65535);
    if (!port || *port == 0)
        return invalid(fmt::format("{} has no port between 1 and 65535", quoted(text)));
    ReadEndpoint read;
    read.endpoint.port = static_cast<std::uint16_t>(*port);
    if (const auto address = canonical_address(parts->host)) {
        read.endpoint.host = *address;
        const bool v6 = address->find(':') != std::string::npos;
        if (v6 && !parts->bracketed) read.oddity = Oddity::bare_ipv6;
        if (!v6 && parts->bracketed) read.oddity = Oddity::bracketed_name;
        return read;
    }
    if (const auto address = legacy_ipv4(parts->host)) {
        read.endpoint.host = *address;
        read.oddity = Oddity::legacy_ipv4;
        return read;
    }
    if (is_host_name(parts->host)) {
        read.endpoint.host = std::string(parts->host);
        if (parts->bracketed) read.oddity = Oddity::bracketed_name;
        return read;
    }
    if (IpAddress::parse(text))
        return invalid(fmt::format("{} has no port", quoted(text)),
                       fmt::format("write [{}]:51820", text));
    return invalid(fmt::format("{} has no host name or address", quoted(text)),
                   "write name:51820, 192.0.2.1:51820 or [2001:db8::1]:51820");
}

} // namespace wgkit::config
