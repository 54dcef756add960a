#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "wgkit/export.hpp"
#include "wgkit/result.hpp"

/// The userspace engine: a TUN device, UDP sockets and the WireGuard protocol between them.
namespace wgkit {

/// How much a tunnel tells. Source: LOG_LEVEL of wireguard-go.
enum class LogLevel : std::uint8_t { silent, error, verbose };

/// Switches for kernels whose offloads are broken; each is also found out at run time.
struct TunnelOffloads {
    bool tun_segmentation = true; ///< take packets larger than the MTU from the TUN device
    bool tun_coalescing = true;   ///< give such packets to it
    bool udp_segmentation = true; ///< UDP_SEGMENT
    bool udp_coalescing = true;   ///< UDP_GRO
};

/// What a tunnel device is made from.
struct TunnelOptions {
    std::string interface;
    int tun_fd = -1;     ///< a TUN device to take over instead of making one
    int control_fd = -1; ///< a listening socket to take over instead of making one
    TunnelOffloads offloads;
    bool heed_quirks = true; ///< do without offloads that this kernel is known to do wrong
    std::string cipher;      ///< ipsec-mb, openssl or libsodium; empty: the fastest here
    LogLevel log_level = LogLevel::error;
    std::function<void(LogLevel, const std::string&)> log; ///< never told a secret
};

/// Why a tunnel ended.
enum class TunnelEnd : std::uint8_t { stopped, device_removed, socket_removed, failed };

/// One running WireGuard device. Its configuration comes over /var/run/wireguard/IFACE.sock
/// (wireguard.com/xplatform), so that wg(8) works on it; its addresses, MTU and state over the
/// network device. Removes both when it dies.
/// Threads: one.
class WGKIT_API TunnelDevice {
  public:
    /// Makes device and socket. Errors: invalid (name, cipher), exists (name or socket taken),
    /// permission, not_found (no /dev/net/tun), system.
    static Result<TunnelDevice> open(TunnelOptions options);

    TunnelDevice(TunnelDevice&&) noexcept;
    TunnelDevice& operator=(TunnelDevice&&) noexcept;
    ~TunnelDevice();

    /// The name that the device got.
    const std::string& interface() const;
    /// Moves packets until `stop_fd` becomes readable (a signalfd, say) or the device or its
    /// socket is removed.
    TunnelEnd run(int stop_fd);

  private:
    struct Parts;
    explicit TunnelDevice(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

/// The counters of a running device, asked over its socket: lines `wgkit_NAME=VALUE`.
/// Errors: not_found (no such socket), permission, invalid (another engine's), system.
WGKIT_API Result<std::string> tunnel_statistics(const std::string& interface);

} // namespace wgkit
