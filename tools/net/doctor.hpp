#pragma once

#include "common/app.hpp"

namespace wgkit::tool::net {

/// `doctor`: what keeps tunnels from working on this host.
Action setup_doctor(Arguments arguments);

} // namespace wgkit::tool::net
