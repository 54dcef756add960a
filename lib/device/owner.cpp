#include "device/owner.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "device/command.hpp"
#include "util/ascii.hpp"
#include "wgkit/files.hpp"
#include "wgkit/interface.hpp"

namespace wgkit {

namespace {

struct CloseDir {
    void operator()(DIR* open) const { ::closedir(open); }
};

bool exists(const char* path) { return ::access(path, F_OK) == 0; }

/// Whether the file has every one of the lines `KEY=VALUE`, whatever the space around.
bool has_lines(const std::string& path, std::initializer_list<std::string_view> lines) {
    const auto text = files::read(path);
    if (!text) return false;
    const auto all = ascii::split(*text, '\n');
    return std::all_of(lines.begin(), lines.end(), [&all](std::string_view wanted) {
        return std::any_of(all.begin(), all.end(), [wanted](std::string_view line) {
            const auto equals = line.find('=');
            const auto split = wanted.find('=');
            return equals != line.npos
                   && ascii::trim(line.substr(0, equals)) == wanted.substr(0, split)
                   && ascii::trim(line.substr(equals + 1)) == wanted.substr(split + 1);
        });
    });
}

/// The first file of the folders whose name ends so and that has the lines; empty without one.
std::string find_file(std::initializer_list<const char*> folders, std::string_view suffix,
                      std::initializer_list<std::string_view> lines) {
    for (const std::string folder : folders) {
        const std::unique_ptr<DIR, CloseDir> open(::opendir(folder.c_str()));
        while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
            const std::string path = folder + "/" + entry->d_name;
            if (path.ends_with(suffix) && has_lines(path, lines)) return path;
        }
    }
    return {};
}

std::string managed(const std::string& interface, std::string_view by, const std::string& how) {
    return fmt::format("{} manages {} ({})", by, interface, how);
}

} // namespace

std::string network_manager_of(const std::string& interface, std::uint32_t link) {
    if (exists("/run/systemd/netif")) {
        const std::string state = fmt::format("/run/systemd/netif/links/{}", link);
        for (const auto* one : {"ADMIN_STATE=configured", "ADMIN_STATE=configuring"})
            if (link != 0 && has_lines(state, {one}))
                return managed(interface, "systemd-networkd", state);
        const auto file =
            find_file({"/etc/systemd/network", "/run/systemd/network", "/usr/lib/systemd/network"},
                      ".netdev", {fmt::format("Name={}", interface)});
        if (!file.empty()) return managed(interface, "systemd-networkd", file);
    }
    if (exists("/run/NetworkManager")) {
        const std::string state = fmt::format("/run/NetworkManager/devices/{}", link);
        if (link != 0 && has_lines(state, {"managed=true"}))
            return managed(interface, "NetworkManager", state);
        const auto file = find_file(
            {"/etc/NetworkManager/system-connections", "/run/NetworkManager/system-connections",
             "/usr/lib/NetworkManager/system-connections"},
            ".nmconnection", {"type=wireguard", fmt::format("interface-name={}", interface)});
        if (!file.empty()) return managed(interface, "NetworkManager", file);
    }
    return {};
}

std::string network_manager_of(const std::string& interface) {
    return network_manager_of(interface, ::if_nametoindex(interface.c_str()));
}

Result<void> check_owner(const std::string& interface, std::uint32_t link) {
    std::string owner;
    const std::string unit = fmt::format("wg-quick@{}.service", interface);
    if (exists("/run/systemd/system") && has_program("systemctl")) {
        const auto asked =
            run_command({"systemctl", "is-active", "--quiet", unit}, {.silent = true});
        if (asked && asked->status == 0) owner = managed(interface, "systemd", unit + " is active");
    }
    if (owner.empty()) owner = network_manager_of(interface, link);
    if (owner.empty()) return {};
    return Error{Errc::conflict, owner, "end that first, or go on with --take-over"};
}

} // namespace wgkit
