#include "agent/follower.hpp"

#include <algorithm>

#include "util/ascii.hpp"
#include "util/json_text.hpp"

namespace wgkit::agent {

using nlohmann::json;

namespace {

/// The rest of a key behind a prefix.
std::optional<std::string> behind(std::string_view key, const std::string& prefix) {
    if (!key.starts_with(prefix)) return std::nullopt;
    return std::string(key.substr(prefix.size()));
}

bool same(const trust::Admitted& a, const trust::Admitted& b) {
    const auto less = [](const auto& x, const auto& y) {
        return x.name == y.name && to_json(x) == to_json(y);
    };
    return std::equal(a.records.begin(), a.records.end(), b.records.begin(), b.records.end(), less);
}

} // namespace

Follower::Follower(std::string network, std::string root_hash, std::uint64_t minimum_revision)
    : layout_{std::move(network)},
      root_hash_(std::move(root_hash)), position_{minimum_revision, {}} {}

void Follower::put(const std::string& key, std::string value, std::int64_t create_revision) {
    if (key == layout_.snapshot())
        shown_snapshot_ = std::move(value);
    else if (const auto hash = behind(key, layout_.object("")))
        objects_[*hash] = std::move(value);
    else if (const auto version = behind(key, layout_.published() + "root/")) {
        if (const auto number = ascii::to_number(*version, UINT32_MAX))
            shown_roots_[*number] = std::move(value);
    } else if (const auto name = behind(key, layout_.admissions()))
        shown_admissions_[*name] = {std::move(value), create_revision}; // KEY-ID/NODE
}

void Follower::remove(const std::string& key) {
    // What the present state is made of is kept apart: no store can make us forget it.
    if (const auto hash = behind(key, layout_.object("")))
        objects_.erase(*hash);
    else if (const auto name = behind(key, layout_.admissions()))
        shown_admissions_.erase(*name);
}

void Follower::forget_store() {
    shown_roots_.clear();
    shown_snapshot_.clear();
    objects_.clear();
    shown_admissions_.clear();
}

Result<bool> Follower::follow_roots() {
    bool changed = false;
    if (!root_) {
        const auto first = shown_roots_.find(1);
        if (first == shown_roots_.end())
            return Error{Errc::not_found, "the store has no root of this network",
                         "is the token for this store, and was it set up?"};
        auto root = trust::first_root(first->second, layout_.network, root_hash_);
        if (!root) return root.error();
        root_ = *std::move(root);
        roots_[1] = first->second;
        changed = true;
    }
    for (auto next = shown_roots_.find(root_->version + 1); next != shown_roots_.end();
         next = shown_roots_.find(root_->version + 1)) {
        auto root = trust::next_root(*root_, next->second);
        if (!root) return root.error();
        root_ = *std::move(root);
        roots_[root_->version] = next->second;
        changed = true;
    }
    return changed;
}

Result<bool> Follower::follow_snapshot(trust::Seconds now) {
    if (shown_snapshot_.empty()) {
        if (state_) return Error{Errc::not_found, "the store shows no state any more", {}};
        return Error{Errc::not_found, "nothing was published yet", {}};
    }
    if (shown_snapshot_ == snapshot_) return false;
    auto verified = trust::accept_snapshot(*root_, position_, shown_snapshot_, now);
    if (!verified) return verified.error();
    std::map<std::string, std::string> used;
    const auto find = [&](const std::string& hash) -> const std::string* {
        const auto shown = objects_.find(hash);
        const auto good = good_objects_.find(hash);
        if (shown == objects_.end() && good == good_objects_.end()) return nullptr;
        return &(used[hash] = shown != objects_.end() ? shown->second : good->second);
    };
    auto state = trust::gather(*std::move(verified), find, gathered_);
    if (!state) return state.error();
    state_ = *std::move(state);
    good_objects_ = std::move(used);
    snapshot_ = shown_snapshot_;
    position_ = {state_->snapshot.revision, state_->hash};
    latest_issued_ = std::max(latest_issued_, state_->snapshot.issued);
    return true;
}

bool Follower::follow_admissions(trust::Seconds now) {
    auto admitted = trust::admit(*state_, admissions(), now);
    const bool changed = !same(admitted, admitted_);
    admitted_ = std::move(admitted);
    return changed;
}

Result<bool> Follower::update(trust::Seconds clock) {
    return update_at(clock, trust::trusted_time(clock, latest_issued_));
}

Result<bool> Follower::update_expired(trust::Seconds clock) { return update_at(clock, 0); }

Result<bool> Follower::update_at(trust::Seconds clock, trust::Seconds snapshot_time) {
    auto roots = follow_roots();
    if (!roots) return roots;
    auto snapshot = follow_snapshot(snapshot_time);
    if (!state_) return snapshot;
    const auto now = trust::trusted_time(clock, latest_issued_);
    const bool admissions = follow_admissions(now);
    if (!snapshot && !admissions) return snapshot;
    return *roots || admissions || (snapshot && *snapshot);
}

std::vector<trust::StoredAdmission> Follower::admissions() const {
    std::vector<std::pair<std::int64_t, trust::StoredAdmission>> ordered;
    for (const auto& [path, shown] : shown_admissions_)
        ordered.push_back({shown.order, {path.substr(path.find('/') + 1), shown.envelope}});
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<trust::StoredAdmission> out;
    for (auto& [order, stored] : ordered) out.push_back(std::move(stored));
    return out;
}

std::vector<trust::NodeRecord> Follower::nodes() const {
    std::vector<trust::NodeRecord> all;
    if (state_) all = state_->records;
    all.insert(all.end(), admitted_.records.begin(), admitted_.records.end());
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return all;
}

bool Follower::is_stale(trust::Seconds clock) const {
    return state_
           && trust::is_stale(*root_, state_->snapshot, trust::trusted_time(clock, latest_issued_));
}

std::optional<trust::Seconds> Follower::next_deadline(trust::Seconds clock) const {
    std::optional<trust::Seconds> next;
    const auto consider = [&](trust::Seconds when) {
        if (when > clock && (!next || when < *next)) next = when;
    };
    if (root_) consider(root_->expires);
    if (!state_) return next;
    consider(state_->snapshot.expires);
    for (const auto& delegation : state_->delegations) consider(delegation.expires);
    return next;
}

std::vector<std::string> Follower::object_hashes() const {
    std::vector<std::string> hashes;
    for (const auto& [hash, text] : good_objects_) hashes.push_back(hash);
    return hashes;
}

const std::string* Follower::object(const std::string& hash) const {
    const auto found = good_objects_.find(hash);
    return found != good_objects_.end() ? &found->second : nullptr;
}

/// The first line is what is known, the others are the objects, which hold no line breaks: a large
/// fleet is written in no more time than it takes to copy it.
std::string Follower::to_text() const {
    json roots = json::array(), stored = json::array();
    for (const auto& [version, text] : roots_) roots.push_back(text);
    for (const auto& [name, shown] : shown_admissions_)
        stored.push_back({{"name", name}, {"order", shown.order}, {"envelope", shown.envelope}});
    std::string out = json_text::dump(json{{"schema", 1},
                                           {"revision", position_.revision},
                                           {"hash", position_.hash},
                                           {"latest_issued", latest_issued_},
                                           {"roots", std::move(roots)},
                                           {"snapshot", snapshot_},
                                           {"admissions", std::move(stored)}});
    out += '\n';
    for (const auto& [hash, text] : good_objects_) out.append(text).append("\n");
    return out;
}

Result<void> Follower::restore(std::string_view text) {
    const Error broken{Errc::invalid, "the last state on disk is malformed",
                       "remove it; the agent then waits for the store"};
    const auto lines = ascii::split(text, '\n');
    const auto read = json_text::parse(lines.front());
    if (!read.is_object()) return broken;
    Follower fresh(layout_.network, root_hash_, position_.revision);
    for (std::size_t i = 1; i < lines.size(); ++i)
        fresh.objects_[trust::hash_of(lines[i])] = lines[i];
    try { // nlohmann's readers throw on other types
        std::uint64_t version = 0;
        for (const auto& root : read.at("roots"))
            fresh.shown_roots_[++version] = root.get<std::string>();
        fresh.shown_snapshot_ = read.at("snapshot").get<std::string>();
        for (const auto& one : read.at("admissions"))
            fresh.shown_admissions_[one.at("name").get<std::string>()] = {
                one.at("envelope").get<std::string>(), one.at("order").get<std::int64_t>()};
        fresh.latest_issued_ = read.at("latest_issued").get<std::int64_t>();
        fresh.position_ = {read.at("revision").get<std::uint64_t>(),
                           read.at("hash").get<std::string>()};
    } catch (const json::exception&) {
        return broken;
    }
    // An expired state is still the last one; what follows from its age is the policy's business.
    if (auto roots = fresh.follow_roots(); !roots) return roots.error();
    if (auto state = fresh.follow_snapshot(0); !state)
        return state.error().code == Errc::not_found ? broken : state.error();
    fresh.follow_admissions(fresh.latest_issued_);
    *this = std::move(fresh);
    return {};
}

} // namespace wgkit::agent
