#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wgkit/mesh.hpp"

/// Deliberate changes to a fleet's inventory, lock and keys. Each is all or nothing, also when
/// killed half way: the next command finds either the old state or the new one.
namespace wgkit::mesh {

/// The text of a starting nodes.yaml with comments that explain it.
/// Shape of `nodes`: NAME or NAME=ENDPOINT. Errors: invalid, with what is wrong in which argument.
WGKIT_API Result<std::string> initial_inventory(const std::string& network, const std::string& ipv4,
                                                const std::string& ipv6,
                                                const std::vector<std::string>& nodes);

/// Renames a node in the inventory (its name and every mention of it, comments kept), in the lock
/// and in the keys folder; key and addresses stay. The fleet must have no error diagnostics.
/// Errors: not_found, exists, invalid (not a DNS label), conflict (another wgkit at work).
WGKIT_API Result<void> rename_node(Fleet& fleet, const std::string& from, const std::string& to);

/// Takes a node out of the inventory; all else in the file stays as it is written. In the lock its
/// addresses become tombstones.
/// Errors: not_found, invalid (other places still name it, or it is not written as a block of its
/// own), conflict (another wgkit at work).
WGKIT_API Result<void> remove_node(Fleet& fleet, const std::string& name, Date today);

/// The public key of a node that keeps its private key.
struct LearnedKey {
    std::string network;
    std::string node;
    PublicKey key;
};

/// Enters keys into the lock, each as a new generation unless it is there already; imported
/// preshared keys of nodes whose key changes go, as the pairs' keys are derived from then on. The
/// inventory may have errors for want of the keys. Errors: not_found, conflict, system.
WGKIT_API Result<void> enter_keys(const Paths& paths, const std::vector<LearnedKey>& keys,
                                  Date today);

/// The files as they will be once nodes have these keys; writes and makes nothing. The fleet's lock
/// is not the one on disk afterwards: do not render it again.
/// Errors: those of `render_files` with `locked`.
WGKIT_API Result<std::vector<NodeFile>>
render_with_keys(Fleet& fleet, const std::vector<LearnedKey>& keys, const RenderOptions& options);

/// A node with its new key.
struct RekeyedNode {
    std::string network;
    std::string name;
    PublicKey before;
    PublicKey after;
    std::uint32_t generation = 0;
};

/// Makes new private keys for nodes whose keys are kept here. Render and deploy afterwards.
/// Errors: not_found (unknown node), invalid (the key is kept on the node), conflict, system.
WGKIT_API Result<std::vector<RekeyedNode>>
rekey_nodes(Fleet& fleet, const std::vector<std::string>& nodes, Date today);

/// Which epochs of its PSK master a network uses.
struct PskEpochs {
    std::string network;
    std::uint32_t oldest = 0; ///< epoch that some node is still on
    std::uint32_t newest = 0;
    std::uint32_t first_kept = 0; ///< oldest epoch whose master is kept
};

/// Moves nodes (all, if none is named) to the newest PSK epoch, or to a new one if they are all on
/// it. A pair's key changes once both its nodes have moved. With `reseed`, the new epoch starts
/// from fresh randomness instead of the ratchet; for use after a leak. If the master is lost, it
/// starts anew for all nodes.
/// Errors: not_found (unknown node, no network with psk: per-pair), conflict, system.
WGKIT_API Result<std::vector<PskEpochs>> advance_psks(Fleet& fleet,
                                                      const std::vector<std::string>& nodes,
                                                      bool reseed, bool allow_open_keys,
                                                      Date today);

/// Erases the masters of epochs that no node is on any more.
WGKIT_API Result<std::vector<PskEpochs>> finish_psks(Fleet& fleet, bool allow_open_keys,
                                                     Date today);

} // namespace wgkit::mesh
