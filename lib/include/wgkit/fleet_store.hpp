#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "wgkit/config.hpp"
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

/// What publishing would change in one node's configuration.
struct NodeChange {
    std::string node;
    config::Config before; ///< without a key; empty: the node is new
    config::Config after;  ///< empty: it goes
};

/// What publishing would change.
struct PublishPlan {
    Published published;             ///< without a revision
    std::vector<NodeChange> changes; ///< of nodes that run an agent, sorted by name
    bool is_under_way = false;       ///< some waves were published already
};

/// What `publish` and `apply_waves` would do. Changes nothing. Errors: those of publishing.
WGKIT_API Result<PublishPlan> plan_publish(const Operator& op, const mesh::Fleet& fleet,
                                           std::optional<bool> drop_unrefreshed);

/// How a change is let out wave by wave.
struct WaveOptions {
    std::optional<bool> drop_unrefreshed;
    std::vector<std::vector<std::string>> waves; ///< of the plan's changes
    std::chrono::seconds patience{60};           ///< for each wave
    std::function<void(const std::string&)> tell;
};

/// Publishes nodes.yaml so that one wave of nodes after the other follows it, each once all of the
/// one before say that they are well; until then the others go on as before. If one is not, or does
/// not answer in time, all of it is withdrawn. A run that was killed goes on.
/// Errors: conflict (a wave failed; another change is under way), those of publishing.
WGKIT_API Result<Published> apply_waves(const Operator& op, const mesh::Fleet& fleet,
                                        const WaveOptions& options);

/// Takes back a change of which some waves were published. Errors: not_found (there is none).
WGKIT_API Result<void> withdraw_waves(const Operator& op);

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

/// Which nodes get new keys, and how.
struct RotateOptions {
    std::vector<std::string> nodes;    ///< that get new keys; empty: all that run an agent
    std::size_t at_once = SIZE_MAX;    ///< so many at a time
    bool leave_behind = false;         ///< go on although peers without agent are cut off
    std::chrono::seconds patience{60}; ///< for the nodes to make new keys
    std::chrono::seconds timeout{600}; ///< for all of them to have put them in place
    std::function<void(const std::string&)> tell; ///< what is done and waited for
};

/// What a rotation did.
struct Rotated {
    std::vector<std::string> nodes; ///< that have new keys
    std::uint64_t revision = 0;
};

/// New WireGuard keys: each node makes its own, and all ends change them together, by the way of
/// rotate.hpp, which loses no packet. Goes on with a rotation that did not end.
/// Errors: not_found (no such node), conflict (a node runs no agent, has not been approved or does
/// not answer; then nothing has changed), those of publishing.
WGKIT_API Result<Rotated> rotate_keys(const Operator& op, const RotateOptions& options);

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
