#pragma once

#include <array>
#include <vector>

#include "wgkit/device.hpp"

/// A change as the steps that a device takes one after the other, which is what both of its
/// protocols know: a list of peers, each with what is to be done to it.
namespace wgkit {

struct PeerStep {
    PublicKey public_key;
    bool is_new = false; ///< else it is done only if the peer is still there
    bool remove = false;
    bool by_dummy = false; ///< removed_ips go by way of a dummy peer, see below
    const PresharedKey* preshared_key = nullptr; ///< the change's
    std::optional<DeviceEndpoint> endpoint;
    std::optional<std::uint16_t> persistent_keepalive;
    std::vector<Prefix> allowed_ips; ///< added, or moved from whoever has them
    std::vector<Prefix> removed_ips;
};

/// So many allowed IPs at most are in one step: it always fits into one netlink message.
inline constexpr std::size_t most_allowed_ips = 512;

/// First what is new, then what moves, then what goes: no allowed IP that stays is ever nobody's.
/// The steps point into the change.
std::vector<PeerStep> steps_of(const DeviceChange& change);

/// How removed_ips go on devices that cannot take a single allowed IP away: they move to a peer
/// that nobody is, without an endpoint, and go with it. Its two steps, to be sent in one message.
std::array<PeerStep, 2> by_dummy_peer(const PeerStep& removal);

} // namespace wgkit
