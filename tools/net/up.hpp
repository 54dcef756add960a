#pragma once

#include "common/app.hpp"

namespace wgkit::tool::net {

/// `up`, `down`, `save` and `strip`: what wg-quick(8) does.
Action setup_up(Arguments arguments);
Action setup_down(Arguments arguments);
Action setup_save(Arguments arguments);
Action setup_strip(Arguments arguments);

} // namespace wgkit::tool::net
