#pragma once

#include "wgkit/device.hpp"
#include "wgkit/interface.hpp"

namespace wgkit {

/// The endpoint's address. While name servers do not answer it is asked for again as wg(8) does:
/// WG_ENDPOINT_RESOLUTION_RETRIES times (15 by default, or "infinity"), with longer pauses.
Result<DeviceEndpoint> look_up_patiently(const Endpoint& endpoint, const InterfaceOptions& options);

} // namespace wgkit
