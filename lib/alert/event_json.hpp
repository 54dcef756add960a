#pragma once

#include <string>
#include <string_view>

#include "util/rfc3339.hpp"
#include "wgkit/alert.hpp"

namespace wgkit::alert {

/// An event as the spool keeps it, and as standard webhooks carry it: times in RFC 3339. What is no
/// valid UTF-8 becomes U+FFFD.
std::string to_json_text(const AlertEvent& event);
/// Errors: invalid.
Result<AlertEvent> event_from_json(std::string_view text);

std::optional<AlertSeverity> severity_of(std::string_view word);

} // namespace wgkit::alert
