#pragma once

#include <vector>

#include "netlink/socket.hpp"
#include "wgkit/host.hpp"

/// Rules of policy routing (rtnetlink(7), ip-rule(8)). `socket`: of NETLINK_ROUTE.
namespace wgkit::netlink {

/// Those of a family that look up a table, by priority; what a HostRule does not hold makes a rule
/// no match for any: they are read only as `priority`. Errors: conflict, system.
Result<std::vector<HostRule>> read_rules(Socket& socket, Family family);

Result<void> add_rule(Socket& socket, const HostRule& rule);
Result<void> remove_rule(Socket& socket, const HostRule& rule);

} // namespace wgkit::netlink
