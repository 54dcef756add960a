#pragma once

#include <vector>

#include "monitor/sources.hpp"

namespace wgkit::tool::monitor {

/// Asks the targets for an echo, each through its device, and notes in the samples who answered.
/// What cannot be asked is a problem more. Takes five seconds if somebody does not answer.
void probe(const std::vector<ProbeTarget>& targets, Samples& samples);

} // namespace wgkit::tool::monitor
