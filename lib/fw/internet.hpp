#pragma once

#include <vector>

#include "wgkit/ip.hpp"

namespace wgkit::fw {

/// `internet` as a destination: every address but private, local, shared and reserved ones, so that
/// who may use an exit does not reach the networks beside it. RFC 6890; for IPv6 what is allocated
/// for global use.
const std::vector<Prefix>& internet_prefixes();

} // namespace wgkit::fw
