#pragma once

#include "mesh/render/node_view.hpp"
#include "mesh/secrets/key_store.hpp"
#include "wgkit/mesh.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::mesh {

enum class KeyPolicy {
    make,   ///< make the keys of nodes never seen before
    locked, ///< a key that would have to be made is an error
    peek,   ///< leave out what is missing; for a look at what would change
};

struct KeyOptions {
    KeyPolicy policy = KeyPolicy::make;
    bool allow_open = false; ///< accept key files that others may read
    Date today{};
    unsigned threads = 0; ///< 0: as many as there are processors
};

/// Loads the private keys of all networks and enters the public keys into the lock. A key is made
/// only for a node that has none in the lock and no file; a known node whose file is missing is an
/// error, never a new key. Adds the number of keys made to `created`.
/// Errors: not_found (names node and file), conflict (file and lock disagree, or `locked`),
/// permission, system.
Result<std::vector<NetworkSecrets>> load_secrets(Fleet& fleet, const KeyOptions& options,
                                                 std::size_t& created);

/// The secrets that one node's files hold; makes nothing. `lock` is the network's.
/// Errors: not_found (names the file), conflict (file and lock disagree), permission, system.
Result<NetworkSecrets> load_node_secrets(const Plan& plan, NodeIndex node,
                                         const LockedNetwork& lock, const KeyStore& store);

/// Whether `load_secrets` would find what the lock knows of, without reading the private keys.
/// Errors: as `load_secrets`.
Result<void> check_custody(const Fleet& fleet, bool allow_open);

/// The network's PSK master, as the lock knows it; nothing if none was ever made.
/// Errors: not_found (it was lost), conflict (it is another one), permission, system.
Result<std::optional<PskMaster>> load_master(const LockedNetwork& lock, const KeyStore& store);

/// Enters what identifies the master into the lock; to be called before the lock is written.
void enter_master(LockedNetwork& lock, const PskMaster& master, Date today);

/// The epochs that the lock's nodes are on; `first_kept` is left 0.
PskEpochs epochs_of(const LockedNetwork& lock);

/// Does any pair of the network have a derived preshared key?
bool uses_pair_keys(const Network& network);

/// Is the private key of this node kept in keys/?
bool keeps_key_here(const Node& node);

} // namespace wgkit::mesh
