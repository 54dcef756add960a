#pragma once

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <optional>
#include <string>
#include <string_view>

/// Where configuration sockets are (wireguard.com/xplatform): /var/run/wireguard/IFACE.sock.
namespace wgkit::uapi {

inline constexpr const char* folder = "/var/run/wireguard";
inline constexpr std::string_view suffix = ".sock";

inline std::string path_of(const std::string& interface) {
    return fmt::format("{}/{}{}", folder, interface, suffix);
}

/// The kernel's form of a path; nothing if it is too long for that.
inline std::optional<sockaddr_un> address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return std::nullopt;
    path.copy(address.sun_path, path.size());
    return address;
}

} // namespace wgkit::uapi
