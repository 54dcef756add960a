#pragma once

#include <fmt/chrono.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace wgkit {

/// A time as 2026-01-02T03:04:05Z (RFC 3339).
inline std::string rfc3339(std::chrono::sys_seconds time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time.time_since_epoch().count()));
}

inline std::string rfc3339_now() {
    return rfc3339(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
}

/// A time as RFC 3339 has it, with any fraction, which is cut off, and any offset.
std::optional<std::chrono::sys_seconds> from_rfc3339(std::string_view text);

} // namespace wgkit
