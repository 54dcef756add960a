#pragma once

#include <optional>
#include <span>

#include "util/sockaddr.hpp"
#include "wgkit/device.hpp"

/// Endpoints in the form of the sockets API.
namespace wgkit {

/// The kernel's form of `endpoint`, 16 or 28 bytes of `out`. Returns how many.
inline std::size_t to_sockaddr(const DeviceEndpoint& endpoint, sockaddr_storage& out) {
    out = {};
    return to_sockaddr(endpoint.address, endpoint.port, endpoint.scope, out);
}

/// Reads that form; nothing if it is of another family or cut off.
inline std::optional<DeviceEndpoint> from_sockaddr(std::span<const std::uint8_t> bytes) {
    sa_family_t family = AF_UNSPEC;
    if (bytes.size() < sizeof family) return std::nullopt;
    std::memcpy(&family, bytes.data(), sizeof family);
    if (family == AF_INET && bytes.size() >= sizeof(sockaddr_in)) {
        sockaddr_in in;
        std::memcpy(&in, bytes.data(), sizeof in);
        return DeviceEndpoint{to_ip(in.sin_addr), ntohs(in.sin_port), 0};
    }
    if (family == AF_INET6 && bytes.size() >= sizeof(sockaddr_in6)) {
        sockaddr_in6 in;
        std::memcpy(&in, bytes.data(), sizeof in);
        return DeviceEndpoint{to_ip(in.sin6_addr), ntohs(in.sin6_port), in.sin6_scope_id};
    }
    return std::nullopt;
}

} // namespace wgkit
