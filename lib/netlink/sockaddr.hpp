#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <optional>
#include <span>

#include "wgkit/device.hpp"

/// Endpoints in the form of the sockets API.
namespace wgkit {

/// The kernel's form of `endpoint`, 16 or 28 bytes of `out`. Returns how many.
inline std::size_t to_sockaddr(const DeviceEndpoint& endpoint, sockaddr_storage& out) {
    out = {};
    const auto bytes = endpoint.address.bytes();
    if (endpoint.address.is_v4()) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(endpoint.port);
        std::memcpy(&in.sin_addr, bytes.data(), bytes.size());
        std::memcpy(&out, &in, sizeof in);
        return sizeof in;
    }
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(endpoint.port);
    in.sin6_scope_id = endpoint.scope;
    std::memcpy(&in.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
}

/// Reads that form; nothing if it is of another family or cut off.
inline std::optional<DeviceEndpoint> from_sockaddr(std::span<const std::uint8_t> bytes) {
    sa_family_t family = AF_UNSPEC;
    if (bytes.size() < sizeof family) return std::nullopt;
    std::memcpy(&family, bytes.data(), sizeof family);
    if (family == AF_INET && bytes.size() >= sizeof(sockaddr_in)) {
        sockaddr_in in;
        std::memcpy(&in, bytes.data(), sizeof in);
        const auto* raw = reinterpret_cast<const std::uint8_t*>(&in.sin_addr);
        return DeviceEndpoint{IpAddress::from_bytes(Family::ipv4, {raw, 4}), ntohs(in.sin_port), 0};
    }
    if (family == AF_INET6 && bytes.size() >= sizeof(sockaddr_in6)) {
        sockaddr_in6 in;
        std::memcpy(&in, bytes.data(), sizeof in);
        const auto* raw = reinterpret_cast<const std::uint8_t*>(&in.sin6_addr);
        return DeviceEndpoint{IpAddress::from_bytes(Family::ipv6, {raw, 16}), ntohs(in.sin6_port),
                              in.sin6_scope_id};
    }
    return std::nullopt;
}

} // namespace wgkit
