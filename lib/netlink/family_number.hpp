#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <span>

#include "wgkit/ip.hpp"

namespace wgkit::netlink {

constexpr std::uint8_t family_number(Family family) {
    return family == Family::ipv4 ? AF_INET : AF_INET6;
}

/// Nothing if family and size do not fit together.
inline std::optional<IpAddress> to_address(int family, std::span<const std::uint8_t> bytes) {
    if (family == AF_INET && bytes.size() == 4) return IpAddress::from_bytes(Family::ipv4, bytes);
    if (family == AF_INET6 && bytes.size() == 16) return IpAddress::from_bytes(Family::ipv6, bytes);
    return std::nullopt;
}

} // namespace wgkit::netlink
