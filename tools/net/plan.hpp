#pragma once

#include "common/app.hpp"

namespace wgkit::tool::net {

/// `plan`: what `apply` would change.
Action setup_plan(Arguments arguments);
/// `apply`: makes a running interface what its file says, without a restart.
Action setup_apply(Arguments arguments);

} // namespace wgkit::tool::net
