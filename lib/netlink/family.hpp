#pragma once

#include <cstdint>
#include <optional>

#include "netlink/socket.hpp"

namespace wgkit::netlink {

/// The number by which the kernel knows a family of generic netlink now; nothing if it has no such
/// family, which for WireGuard means that its module is not loaded. `socket`: of NETLINK_GENERIC.
Result<std::optional<std::uint16_t>> find_family(Socket& socket, const char* name);

} // namespace wgkit::netlink
