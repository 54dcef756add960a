#pragma once

#include <string>
#include <vector>

#include "wgkit/config.hpp"
#include "wgkit/device.hpp"
#include "wgkit/export.hpp"
#include "wgkit/result.hpp"

/// Endpoints that are names: their addresses change while a tunnel runs, which WireGuard does not
/// notice by itself.
namespace wgkit {

/// A peer whose endpoint has another address now.
struct MovedEndpoint {
    PublicKey public_key;
    std::string host; ///< as in the file
    std::optional<DeviceEndpoint> before;
    DeviceEndpoint now;
};

/// What came of resolving the names of endpoints again.
struct Resolved {
    std::vector<MovedEndpoint> moved;
    std::vector<Error> failures; ///< names that have no address, or peers that were refused
};

/// Looks up the names of stale peers (`is_stale`) only, so that a peer that is connected, maybe
/// from elsewhere, is left alone; each name once. Sets what has changed. `now`: seconds since 1970.
/// Errors: those of read_device.
WGKIT_API Result<Resolved> resolve_endpoints(const std::string& interface,
                                             const config::Config& config, std::int64_t now);

} // namespace wgkit
