#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/diagnostic.hpp"
#include "wgkit/export.hpp"
#include "wgkit/inventory.hpp"

/// nodes.lock.yaml: what was once decided about a fleet and must not change by itself. Holds no
/// secret and is meant to be committed; one sorted line per node, so that version control merges
/// it.
namespace wgkit::mesh {

/// Days a freed address stays unused, so that nothing that still remembers it reaches a stranger.
inline constexpr std::chrono::days tombstone_days{30};

/// What was decided for a node once, or for a name that is no longer in the inventory.
struct LockedNode {
    std::string name;
    std::optional<IpAddress> ipv4;
    std::optional<IpAddress> ipv6;
    std::optional<PublicKey> key;
    std::uint32_t generation = 0; ///< counts the node's keys from 1; 0 = none yet
    std::optional<Date> keyed;    ///< the day this key was first seen
    std::uint32_t psk_epoch = 1;  ///< generation of the PSK master that this node is on
};

/// A removed node and the addresses it had.
struct Tombstone {
    std::string name;
    std::optional<IpAddress> ipv4;
    std::optional<IpAddress> ipv6;
    Date freed;
};

/// What tells whether the file of the PSK master is the right one, as public keys tell of private
/// ones. Reveals nothing of the master.
struct LockedMaster {
    std::uint32_t epoch = 1; ///< that `check` is of
    std::string check;       ///< see PskMaster::check
    Date made;

    bool operator==(const LockedMaster&) const = default;
};

/// The nodes of one network.
struct LockedNetwork {
    std::string name;
    std::vector<LockedNode> nodes;     ///< sorted by name
    std::vector<Tombstone> tombstones; ///< sorted by name
    std::optional<LockedMaster> psk_master{};

    /// Null if there is no such node.
    WGKIT_API LockedNode* find(std::string_view node);
    WGKIT_API const LockedNode* find(std::string_view node) const;
};

/// The state in nodes.lock.yaml; no secret is in it.
struct Lock {
    std::vector<LockedNetwork> networks; ///< sorted by name

    /// Null if there is no such network.
    WGKIT_API LockedNetwork* find(std::string_view network);
    WGKIT_API const LockedNetwork* find(std::string_view network) const;
};

/// What was read of nodes.lock.yaml.
struct ParsedLock {
    Lock lock;
    Diagnostics diagnostics;
};

/// Errors: as diagnostics; a broken lock is never repaired silently, it decides addresses.
WGKIT_API ParsedLock parse_lock(std::string_view text, const std::string& file);
/// The file's text; one line for each node, sorted.
WGKIT_API std::string to_text(const Lock& lock);

/// Brings a network's part of the lock up to its inventory: nodes that left become tombstones,
/// tombstones older than `tombstone_days` go, fixed addresses are taken over, missing ones are
/// allocated from the lowest free one up; new nodes start on the newest PSK epoch. Changes no node
/// that keeps its name.
/// Errors (as diagnostics): pool-exhausted, address-outside-pool, duplicate-address.
WGKIT_API LockedNetwork reconcile(const Network& network, const LockedNetwork& before, Date today,
                                  Diagnostics& diagnostics);

} // namespace wgkit::mesh
