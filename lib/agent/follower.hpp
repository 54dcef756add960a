#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/layout.hpp"
#include "trust/verify.hpp"

namespace wgkit::agent {

/// What may be believed of a fleet, from what the store has shown so far. Pure: whoever reads the
/// store puts its keys in.
class Follower {
  public:
    /// `root_hash`: of the first root; nothing older than `minimum_revision` is believed.
    Follower(std::string network, std::string root_hash, std::uint64_t minimum_revision);

    /// A key as the store has it; keys that are none of ours are ignored.
    void put(const std::string& key, std::string value, std::int64_t create_revision);
    void remove(const std::string& key);
    /// Forgets what the store has shown, not what is believed.
    void forget_store();

    /// Believes what it can. True if something changed. Errors: why what the store shows now is not
    /// believed; what was believed before stays.
    Result<bool> update(trust::Seconds clock);

    /// As `update`, but believes an expired state, for whoever may renew it.
    Result<bool> update_expired(trust::Seconds clock);
    /// Where somebody has come before; nothing older is believed.
    void start_from(trust::Position position) { position_ = std::move(position); }

    /// Nothing until there was a good state.
    const std::optional<trust::State>& state() const { return state_; }
    const std::optional<trust::Root>& root() const { return root_; }
    const trust::Admitted& admitted() const { return admitted_; }
    /// Those of the snapshot and those who came by join key, sorted by name.
    std::vector<trust::NodeRecord> nodes() const;
    /// Of the objects that the state is made of.
    std::vector<std::string> object_hashes() const;
    /// Nothing: the state has none of that hash.
    const std::string* object(const std::string& hash) const;
    /// In the order of their arrival.
    std::vector<trust::StoredAdmission> admissions() const;
    trust::Position position() const { return position_; }
    bool is_stale(trust::Seconds clock) const;
    /// When time alone changes something: an expiry; nothing: never.
    std::optional<trust::Seconds> next_deadline(trust::Seconds clock) const;

    /// What is believed, with all signatures, for a disk.
    std::string to_text() const;
    /// Takes it from there, checking everything again but the expiry. Errors: invalid, conflict.
    Result<void> restore(std::string_view text);

  private:
    Result<bool> update_at(trust::Seconds clock, trust::Seconds snapshot_time);
    Result<bool> follow_roots();
    Result<bool> follow_snapshot(trust::Seconds now);
    bool follow_admissions(trust::Seconds now);

    store::Layout layout_;
    std::string root_hash_;
    trust::Position position_;
    trust::Seconds latest_issued_ = 0;

    // As the store shows it.
    std::map<std::uint64_t, std::string> shown_roots_;
    std::string shown_snapshot_;
    std::map<std::string, std::string> objects_;
    struct Shown {
        std::string envelope;
        std::int64_t order = 0;
    };
    std::map<std::string, Shown> shown_admissions_;

    // As it is believed.
    std::map<std::uint64_t, std::string> roots_;
    std::map<std::string, std::string> good_objects_; ///< of the state
    trust::Gathered gathered_;
    std::string snapshot_;
    std::optional<trust::Root> root_;
    std::optional<trust::State> state_;
    trust::Admitted admitted_;
};

} // namespace wgkit::agent
