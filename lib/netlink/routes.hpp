#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "netlink/socket.hpp"
#include "wgkit/host.hpp"
#include "wgkit/ip.hpp"

/// Routes (rtnetlink(7)). `socket`: of NETLINK_ROUTE.
namespace wgkit::netlink {

/// Unicast routes of all tables but `local`. `link`: only those that lead to it; 0: all.
/// `table`: only those in it; 0: all. Errors: conflict, system.
Result<std::vector<HostRoute>> read_routes(Socket& socket, std::uint32_t link,
                                           std::uint32_t table = 0);

/// All of them, with the index of the interface that each leads to.
Result<std::vector<std::pair<HostRoute, std::uint32_t>>> read_routes_by_link(Socket& socket);

/// A route straight to the interface, as `ip route add PREFIX dev IFACE` makes it.
Result<void> add_route(Socket& socket, std::uint32_t link, const HostRoute& route);
/// Makes a route that goes before an equal one to another interface: in front of it (IPv4), or by
/// its better metric (IPv6). One that is there already is no error. `source`: of packets that have
/// none yet.
Result<void> put_route_before(Socket& socket, std::uint32_t link, const HostRoute& route,
                              const std::optional<IpAddress>& source);
Result<void> remove_route(Socket& socket, std::uint32_t link, const HostRoute& route);

/// Where packets to an address leave now.
struct Path {
    std::uint32_t link = 0;
    std::uint32_t mtu = 0; ///< of the route; 0: that of the interface
    std::optional<IpAddress> source{};
};
/// Nothing without a route. Errors: system.
Result<std::optional<Path>> find_path(Socket& socket, const IpAddress& to);
/// That of the first default route of the main table.
Result<std::optional<Path>> default_path(Socket& socket, Family family);

} // namespace wgkit::netlink
