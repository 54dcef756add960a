#pragma once

#include <vector>

#include "wgkit/ip.hpp"

namespace wgkit {

/// The fewest prefixes that hold exactly the same addresses, sorted.
std::vector<Prefix> aggregate(std::vector<Prefix> prefixes);

} // namespace wgkit
