#pragma once

#include "common/app.hpp"

/// The commands of wgkit-store; main.cpp has their table.
namespace wgkit::tool::store {

Action setup_apply(Arguments arguments);
Action setup_approve(Arguments arguments);
Action setup_init(Arguments arguments);
Action setup_joinkey(Arguments arguments);
Action setup_log(Arguments arguments);
Action setup_plan(Arguments arguments);
Action setup_publish(Arguments arguments);
Action setup_revoke(Arguments arguments);
Action setup_rotate(Arguments arguments);
Action setup_status(Arguments arguments);

} // namespace wgkit::tool::store
