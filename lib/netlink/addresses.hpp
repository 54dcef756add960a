#pragma once

#include <cstdint>
#include <vector>

#include "netlink/socket.hpp"
#include "wgkit/ip.hpp"

/// Addresses of an interface (rtnetlink(7)). `socket`: of NETLINK_ROUTE.
namespace wgkit::netlink {

/// With their prefix lengths, in the kernel's order, IPv4 first. Errors: conflict, system.
Result<std::vector<Prefix>> read_addresses(Socket& socket, std::uint32_t link);

Result<void> add_address(Socket& socket, std::uint32_t link, const Prefix& address);
/// Other IPv4 addresses of the same subnet stay only if the interface promotes secondaries.
Result<void> remove_address(Socket& socket, std::uint32_t link, const Prefix& address);

} // namespace wgkit::netlink
