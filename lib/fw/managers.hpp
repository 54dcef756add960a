#pragma once

#include <string_view>
#include <vector>

#include "wgkit/firewall_state.hpp"

namespace wgkit::fw {

/// Those of whose chains `nft list chains` tells. Pure.
std::vector<OtherManager> managers_in(std::string_view chains, Backend backend);

} // namespace wgkit::fw
