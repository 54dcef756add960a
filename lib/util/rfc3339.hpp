#pragma once

#include <fmt/chrono.h>

#include <chrono>
#include <string>

namespace wgkit {

/// A time as 2026-01-02T03:04:05Z (RFC 3339).
inline std::string rfc3339(std::chrono::sys_seconds time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time.time_since_epoch().count()));
}

} // namespace wgkit
