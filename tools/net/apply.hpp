#pragma once

#include "common/app.hpp"

namespace wgkit::tool::net {

/// A running interface becomes what its file says.
Action setup_apply(Arguments arguments);

} // namespace wgkit::tool::net
