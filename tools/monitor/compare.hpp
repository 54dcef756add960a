#pragma once

#include <string>

#include "common/app.hpp"
#include "wgkit/monitor.hpp"

namespace wgkit::tool::monitor {

/// Both ends of a tunnel.
Action setup_compare(Arguments arguments);

/// What a host told of itself: a state file, or what --format json prints. Errors: those of reading
/// a file; invalid, with the file's name.
Result<wgkit::monitor::State> read_samples(const std::string& path);
/// The same of a text.
Result<wgkit::monitor::State> parse_samples(std::string_view text, const std::string& path);

} // namespace wgkit::tool::monitor
