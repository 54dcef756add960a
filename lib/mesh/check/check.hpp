#pragma once

#include "wgkit/diagnostic.hpp"
#include "wgkit/lock.hpp"
#include "wgkit/plan.hpp"

namespace wgkit::mesh {

/// Findings about one network as such: names, tags and nodes that selectors mean, keys, endpoints,
/// routes, single fields. Needs no plan, so it also runs when addresses cannot be allocated.
void check_network(const Network& network, const LockedNetwork& lock, Date today,
                   Diagnostics& diagnostics);

/// Findings about the mesh that follows: pairs without a path, overlapping AllowedIPs, MTUs that
/// differ along a link.
void check_plan(const Plan& plan, Diagnostics& diagnostics);

/// Findings across networks: the same name, interface or listen port twice on one node.
void check_inventory(const Inventory& inventory, Diagnostics& diagnostics);

} // namespace wgkit::mesh
