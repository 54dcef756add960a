#pragma once

#include <cstdint>

#include "confirm/record.hpp"

namespace wgkit::confirm {

/// The number of this network namespace; 0 if it cannot be told.
std::uint64_t network_namespace();

/// Starts a watcher of the change that outlives this process and its session, and waits until it
/// watches. Errors: not_found (no wgkit-rollback), system.
Result<void> start_watcher(const Place& place);

} // namespace wgkit::confirm
