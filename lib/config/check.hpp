#pragma once

#include "wgkit/config.hpp"

namespace wgkit::config {

/// What only shows over a whole file: missing and repeated peers, entries that two peers claim.
void check(const Config& config, Options options, Diagnostics& diagnostics);

} // namespace wgkit::config
