#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/alert.hpp"

namespace wgkit::alert {

/// Equality, or with `*` at the pattern's end any rest.
bool matches(std::string_view pattern, std::string_view text);

/// Every label has its value. Beside labels: "key", "type" and "severity".
bool matches(const std::map<std::string, std::string>& wanted, const AlertEvent& event);

/// The targets that the routes choose, each once, in the configuration's order; without those whose
/// minimum is higher.
std::vector<const AlertTarget*> targets_of(const AlertConfig& config, const AlertEvent& event);

} // namespace wgkit::alert
