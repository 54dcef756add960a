#pragma once

#include <cstdint>
#include <string>

#include "wgkit/result.hpp"

namespace wgkit {

/// Says how systemd-networkd or NetworkManager manages the interface; empty if neither does.
/// `link`: its index, 0 if it is not there.
std::string network_manager_of(const std::string& interface, std::uint32_t link);

/// Refuses an interface that wg-quick@.service, systemd-networkd or NetworkManager manages: both
/// would undo each other's work. Errors: conflict.
Result<void> check_owner(const std::string& interface, std::uint32_t link);

} // namespace wgkit
