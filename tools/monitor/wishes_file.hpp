#pragma once

#include <string>

#include "common/report.hpp"
#include "wgkit/monitor_policy.hpp"

namespace wgkit::tool::monitor {

using namespace wgkit::monitor;

/// Reads monitor.yaml; nothing if `path` is empty. False: it has errors, which have been told.
bool read_wishes(const std::string& path, Wishes& wishes, Diagnostics& diagnostics,
                 const Report& report);

} // namespace wgkit::tool::monitor
