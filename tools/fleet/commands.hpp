#pragma once

#include "common/app.hpp"

/// The commands of wgkit-fleet; main.cpp has their table.
namespace wgkit::tool::fleet {

Action setup_apply(Arguments arguments);
Action setup_bootstrap(Arguments arguments);
Action setup_import(Arguments arguments);
Action setup_log(Arguments arguments);
Action setup_node(Arguments arguments);
Action setup_plan(Arguments arguments);
Action setup_revoke(Arguments arguments);
Action setup_rotate(Arguments arguments);
Action setup_status(Arguments arguments);

} // namespace wgkit::tool::fleet
