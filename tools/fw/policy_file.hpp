#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/report.hpp"
#include "wgkit/policy.hpp"

namespace wgkit::tool::fw {

/// A fleet and its policy; `policy` refers to the others, so that it is made once and not moved.
struct LoadedPolicy {
    mesh::Fleet fleet;
    wgkit::fw::ParsedPolicy parsed;
    std::unique_ptr<wgkit::fw::FleetPolicy> policy;
};

/// Loads nodes.yaml, looks the policy's names up and runs its tests; prints what it finds. Errors:
/// printed; nothing is returned then, so that no rules are made of a policy that is not understood.
/// `warnings`: print those of the inventory, too.
std::unique_ptr<LoadedPolicy> load_policy(const std::string& nodes, const Report& report,
                                          bool warnings = false);

} // namespace wgkit::tool::fw
