#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "engine/path.hpp"

namespace wgkit::engine {

/// Fills the kernel's form of an address; returns its length.
inline socklen_t to_sockaddr(const UdpAddress& address, sockaddr_storage& out) {
    if (address.ip.is_v4()) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(address.port);
        std::memcpy(&in.sin_addr, address.ip.bytes().data(), sizeof in.sin_addr);
        std::memcpy(&out, &in, sizeof in);
        return sizeof in;
    }
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    in.sin6_scope_id = address.scope;
    std::memcpy(&in.sin6_addr, address.ip.bytes().data(), sizeof in.sin6_addr);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
}

inline IpAddress to_ip(const in_addr& address) {
    return IpAddress::from_bytes(Family::ipv4,
                                 {reinterpret_cast<const std::uint8_t*>(&address), 4});
}
inline IpAddress to_ip(const in6_addr& address) {
    return IpAddress::from_bytes(Family::ipv6,
                                 {reinterpret_cast<const std::uint8_t*>(&address), 16});
}

/// Shape: a sockaddr_in or sockaddr_in6. Only link-local addresses keep their scope.
inline UdpAddress to_udp_address(const sockaddr_storage& address) {
    if (address.ss_family == AF_INET) {
        sockaddr_in in;
        std::memcpy(&in, &address, sizeof in);
        return {to_ip(in.sin_addr), ntohs(in.sin_port), 0};
    }
    sockaddr_in6 in;
    std::memcpy(&in, &address, sizeof in);
    const bool link_local = IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr);
    return {to_ip(in.sin6_addr), ntohs(in.sin6_port), link_local ? in.sin6_scope_id : 0};
}

} // namespace wgkit::engine
