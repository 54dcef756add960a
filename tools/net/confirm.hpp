#pragma once

#include "common/app.hpp"

namespace wgkit::tool::net {

/// Keeps changes that wait for it, lists them, or has them undone.
Action setup_confirm(Arguments arguments);

} // namespace wgkit::tool::net
