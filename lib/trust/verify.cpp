// Roots, snapshots and the objects that they stand for.
#include "trust/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace wgkit::trust {

namespace {

Result<Envelope> open_envelope(std::string_view text, std::string_view type) {
    auto envelope = parse_envelope(text);
    if (!envelope) return envelope;
    if (envelope->type != type)
        return Error{Errc::invalid, fmt::format("a document of another kind than {}", type), {}};
    return envelope;
}

Result<void> check_network(std::string_view found, std::string_view wanted) {
    if (found == wanted) return {};
    return Error{
        Errc::conflict, fmt::format("signed for network '{}', not for '{}'", found, wanted), {}};
}

Error few_signatures(std::string_view what, std::size_t found, std::size_t wanted) {
    return {Errc::invalid,
            fmt::format("{}: {} of {} signatures that it needs are there", what, found, wanted),
            {}};
}

template <class T>
Result<T> object_of(const std::string& hash, const FindObject& find,
                    Result<T> (*parse)(std::string_view)) {
    const std::string* text = find(hash);
    if (text == nullptr)
        return Error{Errc::not_found, fmt::format("object {} is missing", hash.substr(0, 16)), {}};
    if (hash_of(*text) != hash)
        return Error{Errc::invalid,
                     fmt::format("object {} is not what its hash says", hash.substr(0, 16)),
                     {}};
    return parse(*text);
}

using RevokedKeys = std::set<std::string, std::less<>>;

bool has_key_of(const NodeRecord& record, const RevokedKeys& keys) {
    return keys.contains(to_string(record.key))
           || (record.agent && keys.contains(to_string(*record.agent)));
}

/// An object that was checked before, or is now; either way it is there.
template <class T>
Result<const T*>
known_object(const std::string& hash, const FindObject& find, Result<T> (*parse)(std::string_view),
             std::unordered_map<std::string, T>& before, std::unordered_map<std::string, T>& used) {
    if (const auto found = used.find(hash); found != used.end()) return &found->second;
    if (const auto found = before.find(hash); found != before.end() && find(hash) != nullptr)
        return &used.emplace(hash, found->second).first->second;
    auto object = object_of(hash, find, parse);
    if (!object) return object.error();
    return &used.emplace(hash, *std::move(object)).first->second;
}

/// Sorted by name.
Result<std::vector<NodeRecord>> gather_records(const std::vector<std::string>& lists,
                                               const FindObject& find, Gathered& known,
                                               Gathered& used) {
    std::vector<NodeRecord> records;
    for (const auto& hash : lists) {
        const auto index = known_object(hash, find, parse_index, known.lists, used.lists);
        if (!index) return index.error();
        for (const auto& [name, record_hash] : (*index)->records) {
            const auto record =
                known_object(record_hash, find, parse_record, known.records, used.records);
            if (!record) return record.error();
            if ((*record)->name != name)
                return Error{
                    Errc::invalid, fmt::format("the record of {} names another", name), {}};
            records.push_back(**record);
        }
    }
    std::sort(records.begin(), records.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto twice =
        std::adjacent_find(records.begin(), records.end(),
                           [](const auto& a, const auto& b) { return a.name == b.name; });
    if (twice != records.end())
        return Error{Errc::invalid, fmt::format("{} is listed twice", twice->name), {}};
    return records;
}

Result<void> gather_rollout(State& state, const RevokedKeys& revoked, const FindObject& find,
                            Gathered& known, Gathered& used) {
    auto rollout = object_of(state.snapshot.rollout, find, parse_rollout);
    if (!rollout) return rollout.error();
    auto fleet = object_of(rollout->fleet, find, parse_fleet);
    if (!fleet) return fleet.error();
    auto records = gather_records(rollout->index, find, known, used);
    if (!records) return records.error();
    // A revocation waits for no wave.
    std::erase_if(*records, [&](const auto& record) { return has_key_of(record, revoked); });
    state.fleet_before = *std::move(fleet);
    state.records_before = *std::move(records);
    state.rollout = *std::move(rollout);
    return {};
}

Result<void> gather_rotation(State& state, const FindObject& find) {
    auto rotation = object_of(state.snapshot.rotation, find, parse_rotation);
    if (!rotation) return rotation.error();
    for (const auto& name : rotation->taking_part)
        if (state.find(name) == nullptr)
            return Error{
                Errc::invalid, fmt::format("{} is to get new keys, but is no node", name), {}};
    for (const auto& hash : rotation->renewals) {
        const auto envelope = object_of(hash, find, parse_envelope);
        if (!envelope) return envelope.error();
        const auto said = parse_renewal(envelope->payload);
        const auto* node = said ? state.find(said->node) : nullptr;
        if (node == nullptr)
            return Error{Errc::invalid, "new keys of nobody are to be put in place", {}};
        auto renewal = check_renewal(state.snapshot.network, *rotation, *node, *find(hash));
        if (!renewal) return renewal.error();
        state.renewals.push_back(*std::move(renewal));
    }
    if (!state.renewals.empty())
        if (auto good =
                check_renewals(*rotation, state.records, state.snapshot.revoked, state.renewals);
            !good)
            return good;
    state.rotation = *std::move(rotation);
    return {};
}

} // namespace

Result<Root> first_root(std::string_view text, std::string_view network,
                        std::string_view expected_hash) {
    const auto envelope = open_envelope(text, type::root);
    if (!envelope) return envelope.error();
    if (hash_of(envelope->payload) != expected_hash)
        return Error{Errc::invalid, "the root is not the one that the join token names", {}};
    auto root = parse_root(envelope->payload);
    if (!root) return root;
    if (auto same = check_network(root->network, network); !same) return same.error();
    const auto found = signers(*envelope, root->keys);
    if (found < root->threshold) return few_signatures("root", found, root->threshold);
    return root;
}

Result<Root> next_root(const Root& current, std::string_view text) {
    const auto envelope = open_envelope(text, type::root);
    if (!envelope) return envelope.error();
    auto next = parse_root(envelope->payload);
    if (!next) return next;
    if (auto same = check_network(next->network, current.network); !same) return same.error();
    if (next->version != current.version + 1)
        return Error{Errc::conflict,
                     fmt::format("root {} does not follow root {}", next->version, current.version),
                     {}};
    const auto old = signers(*envelope, current.keys);
    const auto recovery = signers(*envelope, current.recovery);
    if (old < current.threshold && recovery < current.recovery_threshold)
        return few_signatures("root, by the one before", old, current.threshold);
    const auto own = signers(*envelope, next->keys);
    if (own < next->threshold) return few_signatures("root, by itself", own, next->threshold);
    return next;
}

Result<VerifiedSnapshot> accept_snapshot(const Root& root, const Position& last,
                                         std::string_view text, Seconds now) {
    const auto envelope = open_envelope(text, type::snapshot);
    if (!envelope) return envelope.error();
    // Before a single field is believed.
    const auto found = signers(*envelope, root.keys);
    if (found < root.threshold) return few_signatures("snapshot", found, root.threshold);
    auto snapshot = parse_snapshot(envelope->payload);
    if (!snapshot) return snapshot.error();
    if (auto same = check_network(snapshot->network, root.network); !same) return same.error();
    if (snapshot->root != root.version)
        return Error{Errc::conflict,
                     fmt::format("snapshot {} is signed under root {}, root {} is known",
                                 snapshot->revision, snapshot->root, root.version),
                     {}};
    VerifiedSnapshot verified{*std::move(snapshot), hash_of(envelope->payload)};
    const auto& it = verified.snapshot;
    if (it.revision < last.revision)
        return Error{
            Errc::conflict,
            fmt::format("an older state: revision {} after {}", it.revision, last.revision),
            "somebody shows an old copy of the store, or it was restored from a backup"};
    const bool forked = !last.hash.empty()
                        && ((it.revision == last.revision && verified.hash != last.hash)
                            || (it.revision == last.revision + 1 && it.previous != last.hash));
    if (forked)
        return Error{
            Errc::conflict,
            fmt::format("revision {} does not follow the state that is known", it.revision),
            "two operators published at once, or one signed with an old copy"};
    if (is_stale(root, it, now))
        return Error{Errc::conflict, fmt::format("revision {} has expired", it.revision),
                     "an operator must publish again; check the clock"};
    return verified;
}

Seconds trusted_time(Seconds clock, Seconds latest_issued) {
    return std::max(clock, latest_issued);
}

bool is_stale(const Root& root, const Snapshot& snapshot, Seconds now) {
    return now >= snapshot.expires || now >= root.expires;
}

const NodeRecord* State::find(std::string_view name) const {
    const auto found = std::lower_bound(
        records.begin(), records.end(), name,
        [](const NodeRecord& record, std::string_view wanted) { return record.name < wanted; });
    return found != records.end() && found->name == name ? &*found : nullptr;
}

bool State::is_revoked(std::string_view key) const {
    return std::find(snapshot.revoked.begin(), snapshot.revoked.end(), key)
           != snapshot.revoked.end();
}

State::View State::view_of(std::string_view node) const {
    const bool follows = !rollout
                         || std::find(rollout->following.begin(), rollout->following.end(), node)
                                != rollout->following.end();
    if (follows) return {fleet, records};
    return before();
}

Result<State> gather(VerifiedSnapshot verified, const FindObject& find) {
    Gathered nothing;
    return gather(std::move(verified), find, nothing);
}

Result<State> gather(VerifiedSnapshot verified, const FindObject& find, Gathered& known) {
    State state;
    state.snapshot = std::move(verified.snapshot);
    state.hash = std::move(verified.hash);
    auto fleet = object_of(state.snapshot.fleet, find, parse_fleet);
    if (!fleet) return fleet.error();
    state.fleet = *std::move(fleet);
    Gathered used;
    auto records = gather_records(state.snapshot.index, find, known, used);
    if (!records) return records.error();
    state.records = *std::move(records);
    const RevokedKeys revoked(state.snapshot.revoked.begin(), state.snapshot.revoked.end());
    for (const auto& record : state.records)
        if (has_key_of(record, revoked))
            return Error{Errc::invalid, fmt::format("{} has a revoked key", record.name), {}};
    for (const auto& hash : state.snapshot.delegations) {
        auto delegation = object_of(hash, find, parse_delegation);
        if (!delegation) return delegation.error();
        if (auto same = check_network(delegation->network, state.snapshot.network); !same)
            return same.error();
        state.delegations.push_back(*std::move(delegation));
    }
    if (!state.snapshot.rollout.empty())
        if (auto good = gather_rollout(state, revoked, find, known, used); !good)
            return good.error();
    if (!state.snapshot.rotation.empty())
        if (auto good = gather_rotation(state, find); !good) return good.error();
    known = std::move(used);
    return state;
}

Result<Hint> check_hint(const State& state, const NodeRecord& node, std::string_view text) {
    const auto envelope = open_envelope(text, type::hint);
    if (!envelope) return envelope.error();
    if (!node.agent || signers(*envelope, {&*node.agent, 1}) != 1)
        return few_signatures("hint", 0, 1);
    auto hint = parse_hint(envelope->payload);
    if (!hint) return hint;
    if (auto same = check_network(hint->network, state.snapshot.network); !same)
        return same.error();
    if (hint->node != node.name)
        return Error{Errc::conflict, fmt::format("{} speaks for {}", node.name, hint->node), {}};
    return hint;
}

Result<AuditEntry> check_audit(const Root& root, std::uint64_t last_number,
                               std::string_view last_hash, std::string_view text) {
    const auto envelope = open_envelope(text, type::audit);
    if (!envelope) return envelope.error();
    if (signers(*envelope, root.keys) == 0) return few_signatures("audit entry", 0, 1);
    auto entry = parse_audit(envelope->payload);
    if (!entry) return entry;
    if (auto same = check_network(entry->network, root.network); !same) return same.error();
    if (entry->number != last_number + 1 || entry->previous != last_hash)
        return Error{
            Errc::conflict,
            fmt::format("audit entry {} does not follow entry {}", entry->number, last_number),
            "entries were removed, changed or put in"};
    return entry;
}

} // namespace wgkit::trust
