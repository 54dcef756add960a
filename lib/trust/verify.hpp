#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trust/documents.hpp"
#include "trust/envelope.hpp"
#include "trust/renewal.hpp"

/// From what a store says to what may be believed. Pure: time and position come in, and nothing is
/// believed half.
namespace wgkit::trust {

/// The first root that is seen, pinned by the hash of its payload. Errors: invalid.
Result<Root> first_root(std::string_view envelope, std::string_view network,
                        std::string_view expected_hash);

/// The root after `current`. Errors: invalid (version, signatures), conflict (another network).
Result<Root> next_root(const Root& current, std::string_view envelope);

/// How far somebody has come. Kept on disk, so that nobody can show an older state later.
struct Position {
    std::uint64_t revision = 0;
    std::string hash; ///< of the snapshot's payload; empty: only the revision is known
};

struct VerifiedSnapshot {
    Snapshot snapshot;
    std::string hash;
};

/// A snapshot at or after `last`. `now`: see `trusted_time`.
/// Errors: invalid (signatures, malformed), conflict (older; a second one of the same revision, or
/// one that does not follow; another network or root; expired).
Result<VerifiedSnapshot> accept_snapshot(const Root& root, const Position& last,
                                         std::string_view envelope, Seconds now);

/// The clock, but never before what a signed document has shown: a clock that was set back would
/// make the expired fresh.
Seconds trusted_time(Seconds clock, Seconds latest_issued);

/// Whether a state that was accepted has expired since.
bool is_stale(const Root& root, const Snapshot& snapshot, Seconds now);

/// Objects by hash, as they come from a store or a disk; nothing: not there.
using FindObject = std::function<const std::string*(const std::string& hash)>;

/// A snapshot with everything that it refers to, checked against its hashes.
struct State {
    Snapshot snapshot;
    std::string hash;
    FleetObject fleet;
    std::vector<NodeRecord> records; ///< sorted by name
    std::vector<Delegation> delegations;
    std::optional<Rotation> rotation; ///< that is under way
    std::vector<Renewal> renewals;    ///< of it; checked
    std::optional<Rollout> rollout;   ///< that is under way; what was before it:
    FleetObject fleet_before;
    std::vector<NodeRecord> records_before; ///< sorted by name, without revoked ones

    /// The part of the state that one node is to follow.
    struct View {
        const FleetObject& fleet;
        const std::vector<NodeRecord>& records;
        bool is_new = true; ///< not what was before a rollout
    };
    View view_of(std::string_view node) const;
    View before() const { return {fleet_before, records_before, false}; }

    const NodeRecord* find(std::string_view name) const;
    bool is_revoked(std::string_view key) const;
};

/// Objects by hash, as they were read and checked before: what stays from state to state is not
/// read again.
struct Gathered {
    std::unordered_map<std::string, IndexObject> lists;
    std::unordered_map<std::string, NodeRecord> records;
};

/// `known`: from the state before; becomes that of this one. `find` is asked for every object.
/// Errors: not_found (an object is missing: ask again), invalid (it is not what its hash says, or
/// malformed; a node twice; a revoked key in use).
Result<State> gather(VerifiedSnapshot verified, const FindObject& find, Gathered& known);
Result<State> gather(VerifiedSnapshot verified, const FindObject& find);

/// An admission as a store holds it, in the order of their arrival.
struct StoredAdmission {
    std::string name; ///< that it is stored under
    std::string envelope;
};

struct RefusedAdmission {
    std::string name;
    Error error;
};

struct Admitted {
    std::vector<NodeRecord> records; ///< with the tags of their join keys in `fields`
    std::vector<RefusedAdmission> refused;
};

/// The nodes that came by join key and are not in the snapshot yet. Each is judged alone, against
/// the snapshot and those before it; a bad one keeps no other out.
Admitted admit(const State& state, std::span<const StoredAdmission> admissions, Seconds now);

/// One admission against the snapshot alone: signature, bounds, name, key and addresses.
Result<Admission> check_admission(const State& state, const StoredAdmission& stored, Seconds now);

/// A hint signed by the node's own agent key. Errors: invalid, conflict (another node or network).
Result<Hint> check_hint(const State& state, const NodeRecord& node, std::string_view envelope);

/// Whether an entry follows the one before. Errors: invalid, conflict.
Result<AuditEntry> check_audit(const Root& root, std::uint64_t last_number,
                               std::string_view last_hash, std::string_view envelope);

} // namespace wgkit::trust
