#pragma once

#include "engine/path.hpp"
#include "util/sockaddr.hpp"

namespace wgkit::engine {

/// Fills the kernel's form of an address; returns its length.
inline socklen_t to_sockaddr(const UdpAddress& address, sockaddr_storage& out) {
    return wgkit::to_sockaddr(address.ip, address.port, address.scope, out);
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
