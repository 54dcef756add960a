#pragma once

#include <array>
#include <optional>

#include "engine/messages.hpp"

namespace wgkit::engine {

/// An ICMP error about a packet from the TUN device.
struct IcmpError {
    std::array<std::uint8_t, 1280> bytes; ///< the least MTU of IPv6, which bounds errors (RFC 4443)
    std::size_t size = 0;
};

/// "Destination unreachable" for a packet that has no peer: host unreachable (RFC 792) or address
/// unreachable (RFC 4443), from the packet's destination to its source. Nothing for packets that no
/// error must answer: ICMP errors, multicast and broadcast, later fragments (RFC 1122 section
/// 3.2.2, RFC 4443 section 2.4).
std::optional<IcmpError> unreachable(Bytes packet);

} // namespace wgkit::engine
