#pragma once

#include "common/arguments.hpp"
#include "monitor/conclude.hpp"

/// All hosts of a nodes.yaml instead of this one's devices.
namespace wgkit::tool::monitor {

void add_fleet_options(const Arguments& arguments, FleetOptions& options);
int run_fleet(const MonitorOptions& options, const Report& report);

/// The function of the library that reads nodes.yaml and runs ssh, by its name in C.
using AskFleet = void (*)(const MonitorOptions&, Found&, const Report&);
inline constexpr const char* ask_fleet_name = "wgkit_ask_fleet";

} // namespace wgkit::tool::monitor
