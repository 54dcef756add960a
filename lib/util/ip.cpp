#include "wgkit/ip.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "util/ascii.hpp"

namespace wgkit {

IpAddress IpAddress::from_bytes(Family family, std::span<const std::uint8_t> bytes) {
    IpAddress address;
    address.family_ = family;
    std::copy_n(bytes.begin(), std::min<std::size_t>(bytes.size(), address.bits() / 8),
                address.bytes_.begin());
    return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
    std::copy(text.begin(), text.end(), terminated.begin());
    IpAddress address;
    address.family_ = text.find(':') == std::string_view::npos ? Family::ipv4 : Family::ipv6;
    const int family = address.is_v4() ? AF_INET : AF_INET6;
    if (::inet_pton(family, terminated.data(), address.bytes_.data()) != 1) return std::nullopt;
    return address;
}

bool IpAddress::is_unspecified() const {
    const auto all = bytes();
    return std::all_of(all.begin(), all.end(), [](std::uint8_t b) { return b == 0; });
}

Result<Prefix> Prefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address)
        return Error{
            Errc::invalid, fmt::format("'{}' is not an IP address", text.substr(0, slash)), {}};
    if (slash == std::string_view::npos) return host(*address);
    const auto length = ascii::to_number(text.substr(slash + 1), address->bits());
    if (!length)
        return Error{
            Errc::invalid,
            fmt::format("'{}' has no prefix length between 0 and {}", text, address->bits()),
            {}};
    return Prefix{*address, static_cast<std::uint8_t>(*length)};
}

Prefix Prefix::host(const IpAddress& address) {
    return {address, static_cast<std::uint8_t>(address.bits())};
}

Prefix Prefix::masked() const {
    std::array<std::uint8_t, 16> bytes{};
    const auto all = address.bytes();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const int kept = std::clamp(static_cast<int>(length) - static_cast<int>(i) * 8, 0, 8);
        bytes[i] = static_cast<std::uint8_t>(all[i] & (0xFF00U >> static_cast<unsigned>(kept)));
    }
    return {IpAddress::from_bytes(address.family(), bytes), length};
}

bool Prefix::contains(const IpAddress& other) const {
    return address.family() == other.family() && Prefix{other, length}.masked() == masked();
}

bool Prefix::contains(const Prefix& other) const {
    return length <= other.length && contains(other.address);
}

namespace {

bool is_host_name(std::string_view text) {
    constexpr std::size_t longest = 253; // RFC 1035 section 3.1, as text
    return !text.empty() && text.size() <= longest
           && std::all_of(text.begin(), text.end(), [](char c) {
                  return ascii::is_alnum(c) || c == '.' || c == '-' || c == '_';
              });
}

} // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
    const auto bad = [&](std::string_view why, std::string hint = {}) {
        return Error{Errc::invalid, fmt::format("endpoint '{}' {}", text, why), std::move(hint)};
    };
    std::string_view host = text;
    std::string_view port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return bad("has no closing bracket");
        host = text.substr(1, end - 1);
        const auto rest = text.substr(end + 1);
        if (!rest.starts_with(':')) return bad("has no port", "write [address]:51820");
        port = rest.substr(1);
        const auto percent = host.find('%');
        const auto address = IpAddress::parse(host.substr(0, percent));
        if (!address) return bad("is not an IPv6 address");
        if (percent != std::string_view::npos
            && (address->is_v4() || !is_host_name(host.substr(percent + 1))))
            return bad("has a scope that is no name of an interface");
    } else {
        const auto colon = text.rfind(':');
        if (colon == std::string_view::npos) return bad("has no port", "write host:51820");
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        if (host.find(':') != std::string_view::npos)
            return bad("is an IPv6 address without brackets",
                       IpAddress::parse(text) ? fmt::format("write [{}]:51820", text)
                                              : fmt::format("write [{}]:{}", host, port));
        if (host.empty()) return bad("has no host");
        if (!is_host_name(host)) return bad("has no valid host name");
    }
    const auto number = ascii::to_number(port, 65535);
    if (!number || *number == 0) return bad("has no port between 1 and 65535");
    return Endpoint{std::string(host), static_cast<std::uint16_t>(*number)};
}

std::string to_string(const IpAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.is_v4() ? AF_INET : AF_INET6, address.bytes().data(), text.data(),
                text.size());
    return text.data();
}

std::string to_string(const Prefix& prefix) {
    return fmt::format("{}/{}", to_string(prefix.address), prefix.length);
}

std::string to_string(const Endpoint& endpoint) {
    return endpoint.host.find(':') == std::string::npos
               ? fmt::format("{}:{}", endpoint.host, endpoint.port)
               : fmt::format("[{}]:{}", endpoint.host, endpoint.port);
}

} // namespace wgkit
