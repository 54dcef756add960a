#pragma once

#include <string>

#include "common/report.hpp"

namespace wgkit::tool {

/// Asks a running tunnel and prints what it says, as text or JSON. Returns the exit status.
int print_statistics(const std::string& interface, bool json, const Report& report);

} // namespace wgkit::tool
