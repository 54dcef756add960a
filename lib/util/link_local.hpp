#pragma once

#include "wgkit/ip.hpp"

namespace wgkit {

/// fe80::/10 (RFC 4291): the kernel gives interfaces such an address by itself.
inline bool is_link_local(const IpAddress& address) {
    const auto bytes = address.bytes();
    return !address.is_v4() && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

} // namespace wgkit
