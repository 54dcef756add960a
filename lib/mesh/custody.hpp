#pragma once

#include "mesh/key_store.hpp"
#include "mesh/node_view.hpp"
#include "wgkit/lock.hpp"

namespace wgkit::mesh {

/// What `make_keys` may do and did.
struct KeyChanges {
    std::size_t created = 0;
};

/// Loads the private keys of a network and enters the public keys into the lock. A key is made
/// only for a node that has none in the lock and no file; a known node whose file is missing is an
/// error, never a new key. With `locked`, nothing is made.
/// Errors: not_found (names node and file), conflict (file and lock disagree, or `locked`),
/// permission, system.
Result<NetworkSecrets> make_keys(const Network& network, LockedNetwork& lock, const KeyStore& store,
                                 bool locked, Date today, KeyChanges& changes);

/// Is the private key of this node kept in keys/?
bool keeps_key_here(const Node& node);

} // namespace wgkit::mesh
