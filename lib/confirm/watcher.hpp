#pragma once

#include "confirm/record.hpp"

namespace wgkit::confirm {

/// Starts a watcher of the change that outlives this process and its session, and waits until it
/// watches. Errors: not_found (no wgkit-rollback), system.
Result<void> start_watcher(const Place& place);

} // namespace wgkit::confirm
