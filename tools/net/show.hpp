#pragma once

#include "common/app.hpp"

namespace wgkit::tool::net {

/// `show`: devices for people, as JSON, or a field in the format of wg(8).
Action setup_show(Arguments arguments);

} // namespace wgkit::tool::net
