#pragma once

#include <string>
#include <vector>

#include "wgkit/result.hpp"

namespace wgkit::netlink {

/// The interfaces of this network namespace that the kernel runs WireGuard on, by index.
/// Errors: permission, conflict, system.
Result<std::vector<std::string>> list_wireguard_links();

} // namespace wgkit::netlink
