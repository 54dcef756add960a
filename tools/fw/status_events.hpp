#pragma once

#include <string>
#include <vector>

#include "fw/prepared.hpp"

namespace wgkit::tool::fw {

/// "missing", "extra", "moved" or "dead".
const char* kind_word(const wgkit::fw::Difference& difference);
const char* effect_word(wgkit::fw::Difference::Effect effect);

/// An event for each interface, as it should be or not, and one that the rules can be read, as
/// wgkit-alert(1) reads them.
std::string status_events(const std::vector<Prepared>& all);
/// The one event that they cannot.
std::string blind_event();

} // namespace wgkit::tool::fw
