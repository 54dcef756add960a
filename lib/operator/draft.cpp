#include "operator/draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "agent/compose.hpp"
#include "agent/reader.hpp"
#include "trust/envelope.hpp"

namespace wgkit::agent {

namespace {

constexpr std::size_t most_removals = 60;

/// About as many lists as each has entries, so that one node's change moves the least.
std::size_t list_count(std::size_t nodes) {
    return std::clamp<std::size_t>(static_cast<std::size_t>(std::sqrt(static_cast<double>(nodes))),
                                   1, 64);
}

std::size_t list_of(const std::string& name, std::size_t lists) {
    return std::stoul(trust::hash_of(name).substr(0, 8), nullptr, 16) % lists;
}

} // namespace

Draft::Draft(const Home& home, store::Client& client, trust::Seconds now)
    : home_(&home), client_(&client), now_(now), layout_{home.network},
      follower_(home.network, home.root_hash, 0) {}

Result<Draft> Draft::open(const Home& home, store::Client& client, trust::Seconds now) {
    Draft draft(home, client, now);
    auto pin = load_pin(home);
    if (!pin) return pin.error();
    draft.pin_ = *std::move(pin);
    // Believed from the first root on, then held against the position.
    auto all = client.get_prefixes(followed_prefixes(draft.layout_));
    if (!all) return all.error();
    for (auto& entry : all->entries) {
        if (entry.key == draft.layout_.snapshot()) draft.snapshot_revision_ = entry.mod_revision;
        if (entry.key.starts_with(draft.layout_.object("")))
            draft.stored_objects_.push_back(entry.key);
        draft.follower_.put(entry.key, std::move(entry.value), entry.create_revision);
    }
    draft.follower_.start_from(draft.pin_.position);
    // An operator may renew what has expired.
    const auto updated = draft.follower_.update_expired(now);
    const bool first = draft.snapshot_revision_ == 0 && draft.pin_.position.revision == 0;
    if (!updated && !first) return updated.error();
    if (!draft.follower_.root()) return updated.error();
    if (auto log = draft.read_log(); !log) return log.error();
    if (const auto& state = draft.follower_.state()) {
        draft.fleet = state->fleet;
        for (const auto& record : state->records) draft.records[record.name] = record;
        draft.delegations = state->delegations;
        draft.revoked = state->snapshot.revoked;
        draft.rotation = state->rotation;
        if (state->rollout) {
            draft.rollout = Rollout{state->fleet_before, {}, state->rollout->following};
            for (const auto& record : state->records_before)
                draft.rollout->records[record.name] = record;
        }
        for (std::size_t i = 0; i < state->renewals.size(); ++i)
            draft.renewals[state->renewals[i].node] =
                *draft.follower_.object(state->rotation->renewals[i]);
        draft.present_objects_ = draft.follower_.object_hashes();
    }
    return draft;
}

/// The log goes on where we know it to end: with our last entry, or one that another operator
/// added.
Result<void> Draft::read_log() {
    auto entries = client_->get_prefixes({layout_.audit()});
    if (!entries) return entries.error();
    for (const auto& entry : entries->entries) {
        if (entry.key <= layout_.audit(pin_.audit_number)) continue;
        auto good =
            trust::check_audit(*follower_.root(), pin_.audit_number, pin_.audit_hash, entry.value);
        if (!good) return good.error();
        pin_.audit_number = good->number;
        pin_.audit_hash = trust::hash_of(trust::parse_envelope(entry.value)->payload);
    }
    return {};
}

std::map<std::string, std::string> Draft::make_objects(trust::Snapshot& snapshot) {
    std::map<std::string, std::string> objects;
    const auto add = [&](std::string text) {
        std::string hash = trust::hash_of(text);
        objects[hash] = std::move(text);
        return hash;
    };
    const auto add_records = [&](const Records& nodes) {
        std::vector<trust::IndexObject> lists(list_count(nodes.size()));
        for (const auto& [name, record] : nodes)
            lists[list_of(name, lists.size())].records.emplace_back(name, add(to_json(record)));
        std::vector<std::string> hashes;
        for (const auto& list : lists)
            if (!list.records.empty()) hashes.push_back(add(to_json(list)));
        return hashes;
    };
    snapshot.fleet = add(to_json(fleet));
    snapshot.index = add_records(records);
    if (rollout)
        snapshot.rollout = add(to_json(trust::Rollout{
            add(to_json(rollout->fleet)), add_records(rollout->records), rollout->following}));
    for (const auto& delegation : delegations)
        snapshot.delegations.push_back(add(to_json(delegation)));
    snapshot.revoked = revoked;
    if (rotation) {
        rotation->renewals.clear();
        for (const auto& [node, envelope] : renewals) rotation->renewals.push_back(add(envelope));
        snapshot.rotation = add(to_json(*rotation));
    }
    return objects;
}

/// Objects are named by what they hold: those of a run that was killed do no harm.
Result<void> Draft::put_objects(const std::map<std::string, std::string>& objects) {
    const std::set<std::string> there(stored_objects_.begin(), stored_objects_.end());
    store::Transaction part;
    const auto flush = [&]() -> Result<void> {
        if (part.puts.empty()) return {};
        auto done = client_->commit(part);
        part.puts.clear();
        if (!done) return done.error();
        return {};
    };
    for (const auto& [hash, text] : objects) {
        if (there.contains(layout_.object(hash))) continue;
        part.puts.emplace_back(layout_.object(hash), text);
        if (part.puts.size() == store::max_operations)
            if (auto done = flush(); !done) return done;
    }
    return flush();
}

std::vector<trust::NodeRecord> values_of(const Records& records) {
    std::vector<trust::NodeRecord> out;
    for (const auto& [name, record] : records) out.push_back(record);
    return out;
}

void Draft::revoke(const trust::NodeRecord& record) {
    revoked.push_back(to_string(record.key));
    if (record.agent) revoked.push_back(to_string(*record.agent));
    records.erase(record.name);
    if (rollout) rollout->records.erase(record.name);
    if (!rotation) return;
    std::erase(rotation->rotating, record.name);
    std::erase(rotation->taking_part, record.name);
    if (renewals.erase(record.name) == 0) return;
    for (const auto& renewal : follower_.state()->renewals) {
        if (renewal.node != record.name) continue;
        if (renewal.next != record.key) revoked.push_back(to_string(renewal.next));
        revoked.push_back(to_string(renewal.second));
    }
}

Result<std::uint64_t> Draft::publish(const std::string& action, const std::string& subject,
                                     trust::Seconds valid_for) {
    auto key = load_signing_key(home_->key_path());
    if (!key) return key.error();
    const std::array signer{&*key};

    trust::Snapshot snapshot;
    snapshot.network = home_->network;
    snapshot.revision = follower_.position().revision + 1;
    snapshot.previous = follower_.position().hash;
    snapshot.root = follower_.root()->version;
    snapshot.issued = now_;
    snapshot.expires = std::min(now_ + valid_for, follower_.root()->expires);
    const auto objects = make_objects(snapshot);
    const auto sealed =
        trust::seal_document(std::string(trust::type::snapshot), to_json(snapshot), signer);
    const std::string hash = trust::hash_of(sealed.payload);
    // What no node would believe is not published.
    auto gathered = trust::gather({snapshot, hash}, [&](const std::string& wanted) {
        const auto found = objects.find(wanted);
        return found != objects.end() ? &found->second : nullptr;
    });
    if (!gathered) return gathered.error();
    if (!fleet.nodes_yaml.empty())
        if (auto whole = compose_fleet(fleet, gathered->records, mesh::today()); !whole)
            return whole.error();
    if (trust::signers(sealed, follower_.root()->keys) < follower_.root()->threshold)
        return Error{Errc::permission, "this operator key is not in the present root", {}};

    const trust::AuditEntry entry{
        home_->network, pin_.audit_number + 1, pin_.audit_hash, now_, action, subject, hash};
    const auto logged =
        trust::seal_document(std::string(trust::type::audit), to_json(entry), signer);
    if (auto put = put_objects(objects); !put) return put.error();

    store::Transaction change;
    change.unchanged = {{layout_.snapshot(), snapshot_revision_}, {layout_.audit(entry.number), 0}};
    change.puts = puts;
    change.puts.emplace_back(layout_.audit(entry.number), to_text(logged));
    change.puts.emplace_back(layout_.snapshot(), to_text(sealed));
    change.removals = removals;
    // The state before this one keeps its objects: somebody may be reading it.
    const std::set<std::string> before(present_objects_.begin(), present_objects_.end());
    for (const auto& stored : stored_objects_) {
        const std::string name = stored.substr(layout_.object("").size());
        if (change.removals.size() < most_removals && !objects.contains(name)
            && !before.contains(name))
            change.removals.push_back(stored);
    }
    auto done = client_->commit(change);
    if (!done || !done->done) {
        // An answer may have been lost on its way.
        const auto there = client_->get(layout_.snapshot());
        const auto* found = there ? there->find(layout_.snapshot()) : nullptr;
        if (found == nullptr || found->value != to_text(sealed)) {
            if (!done) return done.error();
            return Error{Errc::conflict, "somebody else has changed the fleet meanwhile",
                         "run it again: it starts from the new state"};
        }
    }
    if (auto saved = save_pin(
            *home_, {{snapshot.revision, hash}, entry.number, trust::hash_of(logged.payload)});
        !saved)
        return saved.error();
    return snapshot.revision;
}

} // namespace wgkit::agent
