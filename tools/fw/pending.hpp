#pragma once

#include <chrono>
#include <vector>

#include "wgkit/firewall_state.hpp"

namespace wgkit::tool::fw {

/// A change of rules that goes back by itself.
struct PendingChange {
    std::vector<wgkit::fw::AppliedRules> applied; ///< what is about to be loaded
    std::vector<wgkit::fw::AppliedRules> old;     ///< what comes back
    bool enables_ufw = false;
    std::chrono::seconds timeout{60};
};

/// To be called before the change.
Result<void> arm(const PendingChange& change);
Result<void> disarm();

} // namespace wgkit::tool::fw
