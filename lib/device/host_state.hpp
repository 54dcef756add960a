#pragma once

#include "wgkit/host.hpp"

namespace wgkit {

/// What outlasts an interface: the rules and filters of a full tunnel with that mark. The
/// interface need not be there.
Result<HostState> read_lasting_state(const std::string& interface, std::uint32_t mark);

} // namespace wgkit
