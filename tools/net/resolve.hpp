#pragma once

#include "common/app.hpp"

namespace wgkit::tool::net {

/// `resolve`: sets the endpoints of stale peers anew where their names have other addresses.
Action setup_resolve(Arguments arguments);

} // namespace wgkit::tool::net
