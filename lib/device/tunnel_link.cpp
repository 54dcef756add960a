#include "device/tunnel_link.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "device/command.hpp"
#include "device/engine_program.hpp"
#include "uapi/socket_path.hpp"
#include "util/unique_fd.hpp"

namespace wgkit {

namespace {

bool is_served(const std::string& interface) {
    const auto address = uapi::address_of(uapi::path_of(interface));
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return address && fd
           && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address)
                  == 0;
}

} // namespace

Result<void> make_tunnel_link(netlink::Socket& socket, const std::string& interface,
                              const std::function<void(const std::string&)>& tell) {
    tell(fmt::format("ip link add {} type wireguard", interface));
    const auto made = netlink::create_link(socket, interface, "wireguard");
    if (!made) return made.error();
    if (*made == netlink::Made::yes) return {};
    const std::string program = engine_program();
    if (!has_program(program))
        return Error{Errc::not_found,
                     fmt::format("the kernel has no WireGuard, and there is no {}", program),
                     "load the module wireguard, or install wgkit-tunnel"};
    tell(fmt::format("{} {}", program, interface));
    return do_command({program, interface});
}

Result<void> delete_tunnel_link(netlink::Socket& socket, const std::string& interface) {
    const auto link = netlink::find_link(socket, interface);
    if (!link) return link.error();
    const bool served = is_served(interface);
    if (*link) {
        const auto deleted = netlink::delete_link(socket, (*link)->index);
        if (!deleted) return deleted;
    }
    // An engine notices that its device has gone; until then it would answer for the next one.
    constexpr int patience = 500;
    for (int tries = 0; served && is_served(interface) && tries < patience; ++tries)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return {};
}

} // namespace wgkit
