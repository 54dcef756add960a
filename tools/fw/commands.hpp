#pragma once

#include "common/app.hpp"

/// The commands of wgkit-fw, one file each; main.cpp has their table.
namespace wgkit::tool::fw {

Action setup_emit(Arguments arguments);
Action setup_explain(Arguments arguments);
Action setup_check(Arguments arguments);

} // namespace wgkit::tool::fw
