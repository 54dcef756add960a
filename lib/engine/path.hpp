#pragma once

#include <compare>
#include <cstdint>

#include "wgkit/ip.hpp"

namespace wgkit::engine {

/// An address and UDP port on the outside of the tunnel.
struct UdpAddress {
    IpAddress ip;
    std::uint16_t port = 0;
    std::uint32_t scope = 0; ///< interface index of a link-local IPv6 address

    auto operator<=>(const UdpAddress&) const = default;
};

/// Our side of a path: the address that the peer talks to, kept so that answers come from there
/// ("sticky source"). All zero: the kernel chooses.
struct Source {
    IpAddress ip;
    std::uint32_t interface = 0; ///< index; 0 if none is remembered

    bool is_set() const { return interface != 0; }
    auto operator<=>(const Source&) const = default;
};

struct Path {
    UdpAddress remote;
    Source source;

    auto operator<=>(const Path&) const = default;
};

} // namespace wgkit::engine
