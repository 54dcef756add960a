#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rotate/state.hpp"

/// The second device and the routes to it.
namespace wgkit::rotate {

/// Makes the second device what the record says, whatever there is of it: its peers, the
/// interface's MTU and addresses (those as single ones, so that no routes come with them).
Result<void> bring_up_second(const State& state);

/// Deletes it if it is there; with it its routes go.
Result<void> remove_second(const State& state);

/// Whether there is an interface of that name.
Result<bool> is_link(const std::string& name);

/// The reverse path filter drops what comes in on a device that the way back does not lead to:
/// where it is strict it is made loose on both devices. Adds to the record what was there before.
Result<void> note_rp_filters(State& state);
void loosen_rp_filters(const State& state);
void restore_rp_filters(const State& state);

/// Adds the routes that take the packets of all peers to the second device.
Result<void> put_routes(const State& state, const Device& interface);
/// How many there are; 0 without the device.
Result<std::size_t> count_routes(const State& state);
/// Takes them away: packets take the routes behind them.
Result<void> take_routes(const State& state);

/// Sets the keepalive of those of the peers that the device has; only where it differs. Turning it
/// on makes a device send at once, and so begin a handshake.
Result<void> set_keepalive(const std::string& device, std::span<const WantedPeer> peers,
                           std::uint16_t seconds);

/// Peers without a session that may still be used.
Result<std::vector<PublicKey>> peers_without_session(const std::string& device,
                                                     std::span<const WantedPeer> peers);

/// What has come in from a peer.
struct Heard {
    std::int64_t handshake_seconds = 0;
    std::uint32_t handshake_nanoseconds = 0;
    std::uint64_t bytes = 0;
};
/// Of those of the peers that the device has.
Result<std::vector<std::pair<PublicKey, Heard>>> heard_from(const std::string& device,
                                                            std::span<const WantedPeer> peers);
/// Whether a session has been used or made between two looks. First messages of handshakes prove
/// neither.
bool is_alive(const Heard& before, const Heard& now);

/// Bytes received from the peers, all together; without the device none.
Result<std::uint64_t> received_bytes(const std::string& device, std::span<const WantedPeer> peers);

} // namespace wgkit::rotate
