#pragma once

#include <cstdint>
#include <string>

#include "wgkit/result.hpp"

namespace wgkit {

/// Refuses an interface that wg-quick@.service, systemd-networkd or NetworkManager manages: both
/// would undo each other's work. `link`: its index, 0 if it is not there. Errors: conflict.
Result<void> check_owner(const std::string& interface, std::uint32_t link);

} // namespace wgkit
