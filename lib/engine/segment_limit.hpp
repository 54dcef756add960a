#pragma once

#include <cstddef>

#include "wgkit/result.hpp"

namespace wgkit::engine {

/// How many segments of a TUN device with this MTU make one train of datagrams, so that what the
/// kernel hands over as one goes out as one and arrives as one.
std::size_t segments_of_a_train(std::size_t mtu);

/// Tells the kernel to make no larger packets for the interface (rtnetlink(7), IFLA_GSO_MAX_SEGS).
/// Only speed depends on it. Errors: permission, system.
Result<void> limit_segments(unsigned interface_index, std::size_t segments);

} // namespace wgkit::engine
