#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/address.hpp"
#include "trust/signing.hpp"
#include "wgkit/keys.hpp"

namespace wgkit::agent {

/// A node's three keys: made on it, never sent.
struct NodeKeys {
    PrivateKey wireguard;
    PrivateKey seal; ///< X25519; secrets for this node are sealed to its public half
    trust::SigningKey agent;
};

/// Reads them from a folder, or makes those that are missing.
/// Errors: permission (a file that others can read), invalid, system.
Result<NodeKeys> load_or_make_keys(const std::string& folder);
/// Another WireGuard key from now on.
Result<void> save_wireguard_key(const std::string& folder, const PrivateKey& key);

/// Who this machine is in a fleet, and how it reaches the store. In `agent.json`, which is written
/// last when a node joins.
struct Identity {
    std::string network;
    std::string node;
    std::string join_key; ///< id; empty once the node has a user of its own in the store
    std::string root_hash;
    std::uint64_t minimum_revision = 0;
    store::Access access; ///< its password in a file of its own
};

/// Errors: not_found (the machine has not joined), permission, invalid, system.
Result<Identity> load_identity(const std::string& folder);
Result<void> save_identity(const std::string& folder, const Identity& identity);

} // namespace wgkit::agent
