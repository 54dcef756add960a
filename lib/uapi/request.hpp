#pragma once

#include <span>

#include "device/steps.hpp"

namespace wgkit::uapi {

/// The `set=1` request of the configuration protocol (wireguard.com/xplatform) for these steps, up
/// to and with its empty last line. `fields`: with those of the device itself, or null.
SecretString set_request(const DeviceChange* fields, std::span<const PeerStep> steps);

} // namespace wgkit::uapi
