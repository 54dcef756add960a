#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

/// WireGuard devices that run on this machine, the kernel's and those of userspace engines alike:
/// what they are, what they should be, and the smallest change from one to the other.
namespace wgkit {

namespace config {
struct Config;
}

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

/// A peer of a device as its engine reports it (wg(8)).
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

/// A WireGuard device as its engine reports it (wg(8)).
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

/// What a peer should be. What is absent is left as it is.
struct WantedPeer {
    PublicKey public_key;
    std::string name;                                  ///< for people; may be empty
    std::optional<PresharedKey> preshared_key;         ///< all zero: none
    std::optional<Endpoint> endpoint;                  ///< as written, maybe with a host's name
    std::optional<DeviceEndpoint> address;             ///< the endpoint once it is looked up
    std::optional<std::uint16_t> persistent_keepalive; ///< 0: off
    /// The allowed IPs are exactly these: a peer that lists none has none. If two peers list the
    /// same prefix, it is the last one's.
    std::vector<Prefix> allowed_ips;
    /// Or not exactly: those above are added to what is there, and those below are taken away.
    bool replace_allowed_ips = true;
    std::vector<Prefix> removed_ips;
};

/// What a device should be. What is absent is left as it is; peers that are not listed go.
struct WantedDevice {
    std::optional<PrivateKey> private_key;    ///< all zero: none
    std::optional<std::uint16_t> listen_port; ///< 0: one of the kernel's choice
    std::optional<std::uint32_t> fwmark;      ///< 0: off
    /// A key listed twice is one peer: what the later says holds. The device's own key is nobody's.
    std::vector<WantedPeer> peers;
};

/// What the file of an interface wants of its device. Endpoints are not looked up.
WGKIT_API WantedDevice wanted_device(const config::Config& config);

/// What `diff` leaves alone.
struct DiffOptions {
    /// Peers that are not listed stay, with the allowed IPs that nobody else wants.
    bool keep_other_peers = false;
    /// A peer that is connected has shown where it is: by default its endpoint stays, and only that
    /// of a peer that is new, has none, or has not been heard (`is_stale`) becomes the wanted one.
    bool set_all_endpoints = false;
    std::int64_t now = 0; ///< Units: seconds since 1970
};

/// Whether a peer's last handshake is older than a connected peer's can be: 135 seconds, as
/// sessions are renewed after 120 (Rekey-After-Time, section 6.1 of the paper).
WGKIT_API bool is_stale(const DevicePeer& peer, std::int64_t now);

/// The peers of `wanted` whose endpoints `diff` looks at; the `address` of others may be missing.
WGKIT_API std::vector<WantedPeer*> peers_to_look_up(WantedDevice& wanted, const Device& present,
                                                    const DiffOptions& options);

/// The first address of the endpoint's host, by getaddrinfo(3): asks once, may wait for it.
/// Errors: not_found (no such name), system (no answer now).
WGKIT_API Result<DeviceEndpoint> look_up(const Endpoint& endpoint);

/// An allowed IP that another peer has now: it moves at once, and never belongs to nobody.
struct MovedPrefix {
    Prefix prefix;
    PublicKey from;

    auto operator<=>(const MovedPrefix&) const = default;
};

/// What changes of one peer; what is absent or empty does not.
struct PeerChange {
    PublicKey public_key;
    bool is_new = false;
    std::optional<PresharedKey> preshared_key; ///< all zero: none from now on
    std::optional<DeviceEndpoint> endpoint;
    std::optional<std::uint16_t> persistent_keepalive; ///< 0: off
    std::vector<Prefix> added;                         ///< allowed IPs that nobody has
    std::vector<MovedPrefix> moved;
    std::vector<Prefix> removed;
};

/// What changes of a device; what is absent or empty does not.
struct DeviceChange {
    std::optional<PrivateKey> private_key; ///< all zero: none from now on
    std::optional<std::uint16_t> listen_port;
    std::optional<std::uint32_t> fwmark; ///< 0: off
    std::vector<PeerChange> peers;
    std::vector<PublicKey> removed_peers; ///< with all their allowed IPs

    /// Whether nothing differs.
    WGKIT_API bool empty() const;
};

/// The smallest change that makes `present` what is wanted. Pure.
WGKIT_API DeviceChange diff(const WantedDevice& wanted, const Device& present,
                            const DiffOptions& options = {});

/// All allowed IPs that the device has once the change is made, in ascending order. Pure.
WGKIT_API std::vector<Prefix> allowed_ips_after(const Device& present, const DeviceChange& change);

/// Takes what goes out of a change, to be done later: peers, allowed IPs, a mark. `change` is then
/// what comes, and what moves. Pure.
WGKIT_API DeviceChange take_removals(DeviceChange& change);

/// How many peers a change may remove unless somebody says that more are meant: 3, and a fifth of
/// those that are there.
WGKIT_API std::size_t removal_limit(const Device& present);

/// Refuses what is rather an accident than a wish: a file that says nothing, a device that would be
/// left without a key, or the removal of more peers than `allowed_removals`, or without that, than
/// `removal_limit`. Errors: invalid, conflict (too many removals).
WGKIT_API Result<void> guard(const WantedDevice& wanted, const Device& present,
                             const DeviceChange& change,
                             std::optional<std::size_t> allowed_removals = {});

/// A hash of a device's configuration, by which to tell whether it has changed since. Endpoints,
/// which follow the peers, and counters are not in it. Shape: 64 hexadecimal digits.
WGKIT_API std::string state_hash(const Device& device);

/// A peer that a device did not take, or not whole.
struct RefusedPeer {
    PublicKey public_key;
    Error error;
};

/// A way to one device: the kernel's netlink or an engine's socket.
class WGKIT_API DeviceBackend {
  public:
    DeviceBackend() = default;
    DeviceBackend(const DeviceBackend&) = delete;
    DeviceBackend& operator=(const DeviceBackend&) = delete;
    virtual ~DeviceBackend();

    /// As `read_device`.
    virtual Result<Device> get() = 0;
    /// Makes the change: new peers and allowed IPs first, then moves, then removals. Sessions of
    /// peers that do not change go on, and none is ever without an allowed IP that it keeps.
    /// Returns the peers that were refused; the others have changed.
    /// Errors: if the device's own fields were refused, before any peer; permission, system.
    virtual Result<std::vector<RefusedPeer>> set(const DeviceChange& change) = 0;
};

/// As `set`, where a refused peer is an Error: the first one's. An empty change sends nothing.
WGKIT_API Result<void> set_all(DeviceBackend& backend, const DeviceChange& change);

/// The way to a device, chosen as `read_device` does. Errors: those of read_device.
WGKIT_API Result<std::unique_ptr<DeviceBackend>> open_device(const std::string& name);

} // namespace wgkit
