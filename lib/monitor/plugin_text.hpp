#pragma once

#include <string>
#include <string_view>

#include "wgkit/monitor.hpp"

/// Output as the Monitoring Plugins' guidelines have it: one line for people with performance data
/// behind a bar, then details. All of it on standard output, for the daemon reads nothing else.
namespace wgkit::monitor {

/// So much is kept by every version of NRPE.
inline constexpr std::size_t most_plugin_lines = 20;

/// Text without control characters and bars.
std::string plugin_safe(std::string_view text);
/// "OK", "WARNING", "CRITICAL" or "UNKNOWN".
std::string_view plugin_word(Level level);

} // namespace wgkit::monitor
