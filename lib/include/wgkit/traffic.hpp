#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "wgkit/export.hpp"

namespace wgkit::fw {

/// Numbers of protocols that rules treat in their own way (IANA "Assigned Internet Protocol
/// Numbers").
inline constexpr std::uint8_t icmp = 1;
inline constexpr std::uint8_t tcp = 6;
inline constexpr std::uint8_t udp = 17;
inline constexpr std::uint8_t icmpv6 = 58;
inline constexpr std::uint8_t sctp = 132;

/// A protocol and the destination ports of it.
struct WGKIT_API Traffic {
    std::optional<std::uint8_t> protocol; ///< absent: every protocol
    std::uint16_t first_port = 0;
    std::uint16_t last_port = 65535;

    /// Whether ports do not matter.
    bool has_all_ports() const { return first_port == 0 && last_port == 65535; }
    /// Whether it covers packets of that IP protocol to that port.
    bool contains(std::uint8_t other_protocol, std::uint16_t port) const;

    auto operator<=>(const Traffic&) const = default;
};

/// Whether packets of this protocol carry ports.
constexpr bool has_ports(std::uint8_t protocol) {
    return protocol == tcp || protocol == udp || protocol == sctp;
}

/// As policies write it: "443/tcp", "8000-8010/udp", "icmp", "47", "any".
WGKIT_API std::string to_string(const Traffic& traffic);
/// "tcp", or the number.
WGKIT_API std::string protocol_name(std::uint8_t protocol);

} // namespace wgkit::fw
