#pragma once

#include "common/app.hpp"

namespace wgkit::tool::net {

/// What `apply` would change.
Action setup_plan(Arguments arguments);

} // namespace wgkit::tool::net
