#pragma once

#include "common/app.hpp"

namespace wgkit::tool::monitor {

/// The program itself: takes samples, judges them, tells.
Action setup_run(Arguments arguments);

} // namespace wgkit::tool::monitor
