#pragma once

#include "confirm/record.hpp"

namespace wgkit::confirm {

/// Copies what undoes a change into `folder`, and what its boot files are now. The record comes
/// last: with it, there is a way back. Errors: permission, system.
Result<void> keep_way_back(const Place& place, const Record& record, const std::string& folder);

} // namespace wgkit::confirm
