#pragma once

#include "common/app.hpp"

namespace wgkit::tool::net {

/// An interface becomes what it was before a change that nobody confirmed.
Action setup_restore(Arguments arguments);

} // namespace wgkit::tool::net
