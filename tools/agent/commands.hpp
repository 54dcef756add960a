#pragma once

#include "common/app.hpp"

/// The commands of wgkit-agent; main.cpp has their table.
namespace wgkit::tool::agent {

Action setup_join(Arguments arguments);
Action setup_run(Arguments arguments);

} // namespace wgkit::tool::agent
