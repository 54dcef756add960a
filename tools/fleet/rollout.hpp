#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "fleet/record.hpp"
#include "fleet/survey.hpp"

namespace wgkit::tool::fleet {

struct RolloutOptions {
    std::uint32_t canary = 1;
    std::uint32_t wave = 10;
    std::uint32_t confirm = 60;  ///< Units: seconds
    std::uint32_t patience = 10; ///< Units: seconds, until peers must answer
    std::uint32_t removals = 0;
    bool has_removals = false;
};

/// How a rollout ended.
struct Outcome {
    std::vector<std::string> done;
    std::vector<std::string> undone;  ///< rolled back, with the rest of their wave
    std::vector<std::string> waiting; ///< of waves that were not begun
    bool failed = false;
};

/// Changes nodes in waves. A wave is kept only if each of its nodes made the change, all its peers
/// still answer, and new connections confirm it on all of them; else the whole wave goes back, also
/// where it was confirmed, and the rest is not begun. What is under way stands in the record, so
/// that the next run goes on.
Outcome roll_out(std::vector<Surveyed>& nodes, Transport& transport, Record& record,
                 const FleetOptions& fleet, const RolloutOptions& options, const Report& report);

} // namespace wgkit::tool::fleet
