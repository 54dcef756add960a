#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trust/documents.hpp"
#include "wgkit/config.hpp"
#include "wgkit/inventory.hpp"
#include "wgkit/mesh.hpp"

namespace wgkit::agent {

/// The fleet as `wgkit mesh` would have loaded it, from its signed parts. Nodes carry no hooks.
/// That two nodes have no path to each other is no error here: the others have.
/// Errors: invalid: the first finding of the checks.
Result<mesh::Fleet> compose_fleet(const trust::FleetObject& fleet,
                                  std::span<const trust::NodeRecord> nodes, mesh::Date today);

/// With those who came by join key. Nobody of them can keep a state from being applied: who does
/// not fit, for instance with another's endpoint, is left out, and named in `left_out`.
Result<mesh::Fleet> compose_with_admitted(const trust::FleetObject& fleet,
                                          std::vector<trust::NodeRecord> nodes,
                                          std::span<const trust::NodeRecord> admitted,
                                          mesh::Date today, std::vector<std::string>& left_out);

struct OwnConfig {
    std::string interface;
    config::Config config;
    bool forwards = false; ///< the plan has this node pass packets on
};

/// One node's configuration, by the planner and the renderer of `wgkit mesh render`, without any
/// command to run. Errors: not_found (no such node, or it is disabled), invalid.
Result<OwnConfig> own_config(const mesh::Fleet& fleet, std::string_view node,
                             const PrivateKey& key);

} // namespace wgkit::agent
