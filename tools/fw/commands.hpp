#pragma once

#include "common/app.hpp"

/// The commands of wgkit-fw, one file each; main.cpp has their table.
namespace wgkit::tool::fw {

Action setup_emit(Arguments arguments);
Action setup_explain(Arguments arguments);
Action setup_check(Arguments arguments);
Action setup_plan(Arguments arguments);
Action setup_apply(Arguments arguments);
Action setup_confirm(Arguments arguments);
Action setup_status(Arguments arguments);
Action setup_flush(Arguments arguments);
Action setup_restore(Arguments arguments);
Action setup_analyze(Arguments arguments);

} // namespace wgkit::tool::fw
