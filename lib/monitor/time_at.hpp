#pragma once

#include "wgkit/monitor.hpp"

namespace wgkit::monitor {

/// The monitor's own time, which no clock step moves, at a moment after the state's last run.
milliseconds time_at(const State& state, const Instant& now);

} // namespace wgkit::monitor
