#pragma once

#include <functional>
#include <string>

#include "wgkit/config.hpp"
#include "wgkit/result.hpp"

namespace wgkit::agent {

/// Makes the interface what the configuration says: brings it up, or changes what differs; sessions
/// of peers that stay go on. Runs no hooks. `warn` hears of endpoints that could not be looked up.
/// True if something was changed. Errors: those of the device and the host.
Result<bool> apply_config(const std::string& interface, config::Config config,
                          const std::function<void(const Error&)>& warn);

/// Takes all peers away; the interface stays. Nothing if it is not there.
Result<void> remove_all_peers(const std::string& interface);

} // namespace wgkit::agent
