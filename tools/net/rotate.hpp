#pragma once

#include "common/app.hpp"

namespace wgkit::tool::net {

/// `rotate`: new keys for a running interface, without losing a packet.
Action setup_rotate(Arguments arguments);

} // namespace wgkit::tool::net
