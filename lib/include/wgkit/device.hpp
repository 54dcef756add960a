#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

/// WireGuard devices that run on this machine, the kernel's and those of userspace engines alike.
namespace wgkit {

/// Where a peer was last heard from, or is expected. Always an address: names were resolved by
/// whoever configured the device.
struct WGKIT_API DeviceEndpoint {
    IpAddress address;
    std::uint16_t port = 0;
    std::uint32_t scope = 0; ///< index of the interface of a link-local address, else 0

    auto operator<=>(const DeviceEndpoint&) const = default;
};

/// `address:port` or `[address%scope]:port`, the scope by the interface's name if it has one.
WGKIT_API std::string to_string(const DeviceEndpoint& endpoint);

struct DevicePeer {
    PublicKey public_key;
    std::optional<PresharedKey> preshared_key;
    std::optional<DeviceEndpoint> endpoint;
    std::uint16_t persistent_keepalive = 0;  ///< seconds; 0: off
    std::int64_t last_handshake_seconds = 0; ///< since 1970; 0: never
    std::uint32_t last_handshake_nanoseconds = 0;
    std::uint64_t rx_bytes = 0; ///< received, with what the protocol adds
    std::uint64_t tx_bytes = 0;
    std::vector<Prefix> allowed_ips; ///< in the device's order
};

struct Device {
    std::string name;
    std::optional<PrivateKey> private_key;
    std::optional<PublicKey> public_key; ///< the private key's
    std::uint16_t listen_port = 0;
    std::uint32_t fwmark = 0;      ///< 0: off
    std::vector<DevicePeer> peers; ///< in the device's order
};

/// The names of all WireGuard devices of this network namespace's kernel, then of the userspace
/// engines whose configuration sockets answer, in the order in which wg(8) tells them.
/// Errors: permission, system.
WGKIT_API Result<std::vector<std::string>> list_devices();

/// All that a device says of itself. A configuration socket goes before the kernel, as for wg(8).
/// Errors: invalid (no name for an interface; no WireGuard interface; a malformed answer),
/// not_found, permission, conflict (it kept changing), system.
WGKIT_API Result<Device> read_device(const std::string& name);

} // namespace wgkit
