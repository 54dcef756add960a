#pragma once

#include <functional>
#include <string>

#include "netlink/links.hpp"

/// Interfaces of WireGuard made and deleted: the kernel's, or where it has none an engine's.
namespace wgkit {

/// `tell`: hears the commands. Errors: exists, permission, not_found (neither kernel nor engine).
Result<void> make_tunnel_link(netlink::Socket& socket, const std::string& interface,
                              const std::function<void(const std::string&)>& tell);

/// Deletes it if it is there; an engine has ended when this returns.
Result<void> delete_tunnel_link(netlink::Socket& socket, const std::string& interface);

} // namespace wgkit
