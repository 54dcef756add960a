#pragma once

#include <string>

#include "wgkit/result.hpp"

namespace wgkit::tool {

/// A descriptor that is readable once SIGINT or SIGTERM has come; they end nothing by themselves.
Result<int> catch_end_signals();

/// Tells systemd, if it started us: "READY=1" and the like (sd_notify(3)).
void notify_service_manager(const std::string& state);

} // namespace wgkit::tool
