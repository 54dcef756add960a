#pragma once

#include "util/unique_fd.hpp"
#include "wgkit/mesh.hpp"

namespace wgkit::mesh {

/// Only one wgkit at a time may change a fleet's lock and keys: hold the descriptor while doing
/// so. Errors: conflict if another one does, or if the lock changed since the fleet was loaded.
Result<UniqueFd> guard_fleet(const Fleet& fleet);

/// Writes the fleet's lock if it differs from the file; true if it did.
Result<bool> write_lock(Fleet& fleet);

} // namespace wgkit::mesh
