#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/http.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/mesh.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// The operator's side of a fleet on agents: its state is signed here and published in a store. See
/// wgkit-store(1); SECURITY.md, "The fleet on agents". Every function with a poster needs one with
/// nothing else under way; times are seconds since 1970.
namespace wgkit::agent {

/// Where an operator works from.
struct Operator {
    HttpPoster& requests;
    std::string home; ///< folder of settings and keys
    std::int64_t now = 0;
    std::int64_t valid_for = std::int64_t{30} * 86'400; ///< until a published state must be renewed
};

/// What a new store is made for.
struct StoreOptions {
    std::string network;
    std::string url;       ///< etcd://HOST,HOST
    std::string ca_file;   ///< PEM; empty: the system's
    SecretString password; ///< of the store's user root; empty: the store asks nobody
};

/// Makes operator and recovery keys and the first root, sets up the store's users, and publishes
/// the root. Killed at any point, it goes on where it was when run again.
/// Errors: exists (the store has this network from somebody else), permission, invalid, system.
WGKIT_API Result<void> init_store(const Operator& op, const StoreOptions& options);

/// What was published.
struct Published {
    std::uint64_t revision = 0;
    std::size_t nodes = 0;
    std::vector<std::string> added;
    std::vector<std::string> changed;
    std::vector<std::string> removed;
    bool left_hooks_out = false;
};

/// Publishes nodes.yaml with its lock. Nodes that came by join key stay.
/// `drop_unrefreshed`: what nodes do when a state has expired; absent: as before, at first keep.
WGKIT_API Result<Published> publish(const Operator& op, const mesh::Fleet& fleet,
                                    std::optional<bool> drop_unrefreshed);

/// What a join key admits.
struct JoinKeyOptions {
    std::vector<std::string> tags;
    std::optional<Prefix> ipv4; ///< pools, inside of the network's
    std::optional<Prefix> ipv6;
    std::uint32_t count = 1;
    std::int64_t valid_for = 86'400; ///< Units: seconds
};

/// A new join key and the token that carries it.
struct JoinKey {
    std::string id;
    SecretString token; ///< one line; a secret
};

/// Publishes a join key. Errors: invalid (a pool outside of the network's), those of publishing.
WGKIT_API Result<JoinKey> make_join_key(const Operator& op, const JoinKeyOptions& options);

/// Which requests to join were admitted.
struct Approval {
    std::vector<std::string> approved;
    std::vector<std::pair<std::string, std::string>> refused; ///< node and why
};

/// Makes nodes that came by join key part of the fleet for good: their names, or all. Each gets a
/// user of its own in the store. Errors: not_found (no such node waits).
WGKIT_API Result<Approval> approve(const Operator& op, const std::vector<std::string>& names);

/// Takes a node out: its keys are never believed again, its user in the store is gone.
/// Errors: not_found.
WGKIT_API Result<void> revoke_node(const Operator& op, const std::string& name);
/// Takes a join key out, with the nodes that it let in and that were not approved.
WGKIT_API Result<void> revoke_join_key(const Operator& op, const std::string& id);

/// What the store tells of one node.
struct NodeStatus {
    std::string name;
    std::vector<std::string> addresses;
    bool runs_agent = false;
    bool waits = false;         ///< for approval
    std::uint64_t revision = 0; ///< that it has applied; 0: it has said nothing
    std::int64_t time = 0;      ///< when it said so
    std::string status;
};

/// What the store tells of one join key.
struct JoinKeyStatus {
    std::string id;
    std::vector<std::string> tags;
    std::uint32_t count = 0;
    std::int64_t expires = 0;
};

/// What the store tells of the fleet.
struct StoreStatus {
    std::string network;
    std::uint64_t revision = 0;
    std::int64_t expires = 0;
    std::vector<NodeStatus> nodes; ///< sorted by name
    std::vector<JoinKeyStatus> join_keys;
    std::vector<std::pair<std::string, std::string>> refused; ///< admissions, and why
};

/// Reads and verifies it. Errors: invalid (a signature), not_found, system.
WGKIT_API Result<StoreStatus> store_status(const Operator& op);

/// One entry of the signed audit trail.
struct LogEntry {
    std::uint64_t number = 0;
    std::int64_t time = 0;
    std::string action;
    std::string subject;
};

/// The log of all operators' deeds, its chain checked. Errors: conflict (it is no chain).
WGKIT_API Result<std::vector<LogEntry>> read_log(const Operator& op);

} // namespace wgkit::agent
