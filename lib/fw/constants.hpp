#pragma once

#include <cstdint>
#include <span>

#include "wgkit/firewall.hpp"

/// What the evaluator and every emitter must agree on.
namespace wgkit::fw {

/// ICMP without which IP does not work: unreachable (with it path MTU), time exceeded, parameter
/// problem; packet too big of IPv6. Then, with `ping`, the echo request. RFC 4890 section 4.3.1.
inline std::span<const int> icmp_types(Family family, bool ping) {
    static constexpr int v4[] = {3, 11, 12, 8};
    static constexpr int v6[] = {1, 2, 3, 4, 128};
    const std::span<const int> types = family == Family::ipv4 ? std::span<const int>(v4) : v6;
    return ping ? types : types.first(types.size() - 1);
}

/// What IPv6 needs on a link besides: neighbours, routers, listeners. RFC 4890 section 4.4.1. A
/// WireGuard interface has none of it.
inline std::span<const int> neighbour_types(Family family) {
    static constexpr int v6[] = {130, 131, 132, 133, 134, 135, 136, 143};
    return family == Family::ipv6 ? std::span<const int>(v6) : std::span<const int>();
}

constexpr std::uint8_t icmp_protocol(Family family) {
    return family == Family::ipv4 ? icmp : icmpv6;
}

constexpr std::uint16_t dhcp_client_port(Family family) {
    return family == Family::ipv4 ? 68 : 546;
}

/// Whether forwarded packets of the tunnel are decided here at all.
bool decides_forward(const Ruleset& ruleset);

} // namespace wgkit::fw
