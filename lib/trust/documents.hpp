#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/signing.hpp"
#include "wgkit/ip.hpp"

/// What operators and nodes sign, as data and as JSON. SECURITY.md, "The fleet on agents", says who
/// may sign what. Times are seconds since 1970.
namespace wgkit::trust {

using Seconds = std::int64_t;

/// Types of payloads: a signature over one kind is worth nothing for another.
namespace type {
inline constexpr std::string_view root = "application/vnd.wgkit.root.v1+json";
inline constexpr std::string_view snapshot = "application/vnd.wgkit.snapshot.v1+json";
inline constexpr std::string_view admission = "application/vnd.wgkit.admission.v1+json";
inline constexpr std::string_view hint = "application/vnd.wgkit.hint.v1+json";
inline constexpr std::string_view renewal = "application/vnd.wgkit.renewal.v1+json";
inline constexpr std::string_view audit = "application/vnd.wgkit.audit.v1+json";
} // namespace type

/// Who the operators are. Version n+1 is signed by the threshold of version n, or by its recovery
/// keys, and by its own threshold.
struct Root {
    std::string network;
    std::uint64_t version = 1;
    std::vector<VerifyKey> keys;
    std::uint32_t threshold = 1;
    std::vector<VerifyKey> recovery;
    std::uint32_t recovery_threshold = 1;
    Seconds expires = 0;
};

/// One state of the fleet, signed by the threshold of its root. Everything else is covered by the
/// hashes in here.
struct Snapshot {
    std::string network;
    std::uint64_t revision = 1; ///< counts up, never down
    std::string previous;       ///< hash of the snapshot before; empty in the first
    std::uint64_t root = 1;     ///< version of the root whose keys signed
    Seconds issued = 0;
    Seconds expires = 0;
    std::string fleet;              ///< hash of the Fleet object
    std::vector<std::string> index; ///< hashes of Index objects
    std::vector<std::string> delegations;
    std::vector<std::string> revoked; ///< keys of any kind, base64
    std::string rotation;             ///< hash of a Rotation object; empty: none is under way
    std::string rollout;              ///< hash of a Rollout object; empty: all follow this state
};

enum class StalePolicy { keep, drop_unrefreshed };

/// nodes.yaml without its nodes. Object of a snapshot.
struct FleetObject {
    std::string nodes_yaml; ///< as JSON, which is YAML; without `nodes`
    StalePolicy stale_policy = StalePolicy::keep;
};

/// A part of the fleet's nodes: names and hashes of their records. Object of a snapshot. In
/// parts, so that the change of one node moves a few kilobytes and not a list of thousands.
struct IndexObject {
    std::vector<std::pair<std::string, std::string>> records;
};

/// A change that nodes take one wave after the other: who is not named here goes on with what was
/// before. Object of a snapshot.
struct Rollout {
    std::string fleet;              ///< before: hash of the Fleet object
    std::vector<std::string> index; ///< before: hashes of Index objects
    std::vector<std::string> following;
};

/// What everybody knows of one node. Object of an index, or inside an admission.
struct NodeRecord {
    std::string name;
    PublicKey key; ///< WireGuard's
    std::uint32_t generation = 1;
    std::optional<VerifyKey> agent; ///< signs the node's hints; nothing: it runs no agent
    std::optional<PublicKey> seal;  ///< X25519: secrets for the node are sealed to it
    std::optional<IpAddress> ipv4;
    std::optional<IpAddress> ipv6;
    bool joined = false;       ///< came by join key, is not in the operator's nodes.yaml
    std::string fields = "{}"; ///< the node's fields of nodes.yaml, as a JSON object

    bool operator==(const NodeRecord&) const = default;
};

inline constexpr std::size_t max_record_bytes = 1024;

/// A join key: what it signs is as good as the operator's word, within these bounds. Object of a
/// snapshot.
struct Delegation {
    std::string network;
    VerifyKey key;
    PublicKey enrolment; ///< X25519: shows possession, see possession.hpp
    std::vector<std::string> tags;
    std::optional<Prefix> ipv4; ///< the pool of addresses
    std::optional<Prefix> ipv6;
    std::uint32_t count = 1;
    Seconds expires = 0;
};

/// A node that came by join key; signed with that key.
struct Admission {
    std::string network;
    VerifyKey delegation;
    NodeRecord record; ///< `fields` may hold endpoint and port, nothing else
    std::string nonce; ///< 32 hexadecimal digits
    std::string mac;   ///< shows possession of the record's key, base64
};

/// What a node says of itself; signed with its agent key.
struct Hint {
    std::string network;
    std::string node;
    std::string snapshot; ///< hash of the one that it has applied
    std::uint64_t revision = 0;
    Seconds time = 0;
    std::string status;  ///< "applied", "stale" or what went wrong
    std::string rotated; ///< id of the last rotation that it has done
};

/// One line of the log of an operator's deeds: each entry holds the hash of the one before.
struct AuditEntry {
    std::string network;
    std::uint64_t number = 1;
    std::string previous;
    Seconds time = 0;
    std::string action;  ///< e.g. publish, joinkey, approve, revoke
    std::string subject; ///< e.g. the node's name
    std::string snapshot;
};

std::string to_json(const Root& root);
std::string to_json(const Snapshot& snapshot);
std::string to_json(const FleetObject& fleet);
std::string to_json(const IndexObject& index);
std::string to_json(const Rollout& rollout);
std::string to_json(const NodeRecord& record);
std::string to_json(const Delegation& delegation);
std::string to_json(const Admission& admission);
std::string to_json(const Hint& hint);
std::string to_json(const AuditEntry& entry);

/// Errors: invalid, with the field that is wrong. Records above max_record_bytes are refused, and
/// names that are no DNS label.
Result<Root> parse_root(std::string_view json);
Result<Snapshot> parse_snapshot(std::string_view json);
Result<FleetObject> parse_fleet(std::string_view json);
Result<IndexObject> parse_index(std::string_view json);
Result<Rollout> parse_rollout(std::string_view json);
Result<NodeRecord> parse_record(std::string_view json);
Result<Delegation> parse_delegation(std::string_view json);
Result<Admission> parse_admission(std::string_view json);
Result<Hint> parse_hint(std::string_view json);
Result<AuditEntry> parse_audit(std::string_view json);

} // namespace wgkit::trust
