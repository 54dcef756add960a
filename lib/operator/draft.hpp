#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/follower.hpp"
#include "operator/home.hpp"
#include "store/client.hpp"

namespace wgkit::agent {

using Records = std::map<std::string, trust::NodeRecord>; ///< by name

/// In the order of their names.
std::vector<trust::NodeRecord> values_of(const Records& records);

/// The next state of a fleet, made from the present one and published whole or not at all.
class Draft {
  public:
    /// Reads and verifies the present state as a node does, from the operator's own position.
    /// Errors: those of the store; conflict (the store shows an older state).
    static Result<Draft> open(const Home& home, store::Client& client, trust::Seconds now);

    trust::FleetObject fleet;
    Records records;
    std::vector<trust::Delegation> delegations;
    std::vector<std::string> revoked;
    std::optional<trust::Rotation> rotation;     ///< its `renewals` follow from these:
    std::map<std::string, std::string> renewals; ///< envelopes, by node
    /// While a change goes from wave to wave: what was before it, and who follows it already.
    struct Rollout {
        trust::FleetObject fleet;
        Records records;
        std::vector<std::string> following;
    };
    std::optional<Rollout> rollout;
    /// Further keys of the store that go with it.
    std::vector<std::pair<std::string, std::string>> puts;
    std::vector<std::string> removals;

    /// Takes a node out, with all that is its; its keys are not believed again.
    void revoke(const trust::NodeRecord& record);

    bool is_first() const { return !follower_.state(); }
    const Follower& follower() const { return follower_; }
    trust::Seconds now() const { return now_; }

    /// Signs and publishes it, with its entry in the log. Returns the revision.
    /// Errors: conflict (somebody else was faster), permission, system.
    Result<std::uint64_t> publish(const std::string& action, const std::string& subject,
                                  trust::Seconds valid_for);

  private:
    Draft(const Home& home, store::Client& client, trust::Seconds now);
    Result<void> read_log();
    std::map<std::string, std::string> make_objects(trust::Snapshot& snapshot);
    Result<void> put_objects(const std::map<std::string, std::string>& objects);

    const Home* home_;
    store::Client* client_;
    trust::Seconds now_;
    store::Layout layout_;
    Follower follower_;
    Pin pin_;
    std::int64_t snapshot_revision_ = 0; ///< of the store; 0: there is none
    std::vector<std::string> stored_objects_;
    std::vector<std::string> present_objects_; ///< of the state that this one follows
};

} // namespace wgkit::agent
