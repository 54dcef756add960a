#pragma once

#include <span>
#include <string>
#include <string_view>

#include "trust/documents.hpp"
#include "wgkit/config.hpp"
#include "wgkit/inventory.hpp"
#include "wgkit/mesh.hpp"

namespace wgkit::agent {

/// The fleet as `wgkit mesh` would have loaded it, from its signed parts. Nodes carry no hooks.
/// Errors: invalid: the first finding of the checks.
Result<mesh::Fleet> compose_fleet(const trust::FleetObject& fleet,
                                  std::span<const trust::NodeRecord> nodes, mesh::Date today);

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
