#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netlink/socket.hpp"
#include "wgkit/result.hpp"

/// Interfaces of this network namespace (rtnetlink(7)). `socket`: of NETLINK_ROUTE.
namespace wgkit::netlink {

struct Link {
    std::uint32_t index = 0;
    std::string name;
    std::string kind; ///< e.g. wireguard or tun; empty for hardware
    std::uint32_t mtu = 0;
    bool is_up = false; ///< by its owner's wish, whatever the carrier
};

/// Nothing if there is no such interface. Errors: system.
Result<std::optional<Link>> find_link(Socket& socket, const std::string& name);
Result<std::optional<Link>> find_link(Socket& socket, std::uint32_t index);

/// The interfaces of this network namespace that the kernel runs WireGuard on, by index.
/// Errors: permission, conflict, system.
Result<std::vector<std::string>> list_wireguard_links();

/// Whether an interface was made; the kernel may not know the kind (it loads modules by itself).
enum class Made { yes, no_such_kind };
/// Errors: exists, permission, system.
Result<Made> create_link(Socket& socket, const std::string& name, const std::string& kind);

/// Deleting one of a userspace engine ends the engine.
Result<void> delete_link(Socket& socket, std::uint32_t index);

/// What is not set stays as it is; all of it changes in one message.
struct LinkChange {
    std::optional<std::uint32_t> mtu{};
    std::optional<bool> is_up{};
    std::string name{};
    int netns = -1; ///< an open namespace to move it to
};
Result<void> change_link(Socket& socket, std::uint32_t index, const LinkChange& change);

} // namespace wgkit::netlink
