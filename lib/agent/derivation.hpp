#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/compose.hpp"

namespace wgkit::agent {

/// One node's configuration as states come, by `compose_with_admitted` and `own_config`. Where what
/// two nodes say of each other depends on these two alone, a change of few nodes costs in
/// proportion to those few, not to the fleet. Pure.
class Derivation {
  public:
    /// The configuration now; it stays valid until the next call. `left_out`: as
    /// `compose_with_admitted`. Errors: its, and those of `own_config`.
    Result<OwnConfig*> derive(const trust::FleetObject& fleet,
                              const std::vector<trust::NodeRecord>& nodes,
                              std::span<const trust::NodeRecord> admitted, std::string_view node,
                              const PrivateKey& key, mesh::Date today,
                              std::vector<std::string>& left_out);

    /// How often everything was composed.
    std::size_t full_runs() const { return full_runs_; }

  private:
    bool try_change(const trust::FleetObject& fleet, std::vector<trust::NodeRecord>& nodes,
                    std::string_view node, const PrivateKey& key, mesh::Date today);
    bool put_peer(const trust::FleetObject& fleet, const trust::NodeRecord& mine,
                  const trust::NodeRecord& other, const PrivateKey& key, mesh::Date today);

    bool is_known_ = false;
    bool is_independent_ = false;
    std::string fleet_; ///< as JSON
    mesh::Date today_{};
    PublicKey key_;
    std::vector<trust::NodeRecord> nodes_; ///< with those admitted; sorted by name
    OwnConfig own_;
    SecretString interface_; ///< the [Interface] of `own_` as text
    std::size_t full_runs_ = 0;
};

} // namespace wgkit::agent
