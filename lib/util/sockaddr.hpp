#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "wgkit/ip.hpp"

/// Addresses in the form of the sockets API.
namespace wgkit {

/// Writes the kernel's form, 16 or 28 bytes of `out`. Returns how many.
inline socklen_t to_sockaddr(const IpAddress& ip, std::uint16_t port, std::uint32_t scope,
                             sockaddr_storage& out) {
    if (ip.is_v4()) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        std::memcpy(&in.sin_addr, ip.bytes().data(), sizeof in.sin_addr);
        std::memcpy(&out, &in, sizeof in);
        return sizeof in;
    }
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    in.sin6_scope_id = scope;
    std::memcpy(&in.sin6_addr, ip.bytes().data(), sizeof in.sin6_addr);
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

} // namespace wgkit
