// Looks at a host for `diagnose`.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "device/command.hpp"
#include "device/endpoints.hpp"
#include "device/engine_program.hpp"
#include "device/host_state.hpp"
#include "netlink/family.hpp"
#include "netlink/links.hpp"
#include "netlink/routes.hpp"
#include "util/ascii.hpp"
#include "util/unique_fd.hpp"
#include "wgkit/device.hpp"
#include "wgkit/doctor.hpp"
#include "wgkit/files.hpp"
#include "wgkit/host.hpp"

namespace wgkit {

namespace {

constexpr const char* settings_folder = "/etc/sysctl.d";
constexpr const char* config_folder = "/etc/wireguard";

struct CloseListing {
    void operator()(DIR* open) const { ::closedir(open); }
};

std::vector<std::string> paths_in(const std::string& folder) {
    std::vector<std::string> paths;
    const std::unique_ptr<DIR, CloseListing> open(::opendir(folder.c_str()));
    while (const dirent* entry = open ? ::readdir(open.get()) : nullptr)
        if (entry->d_name[0] != '.') paths.push_back(folder + "/" + entry->d_name);
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::string setting(std::string name) {
    std::replace(name.begin(), name.end(), '.', '/');
    const auto text = files::read("/proc/sys/" + name);
    return text ? std::string(ascii::trim(*text)) : std::string();
}

int number_setting(const std::string& name) {
    return static_cast<int>(ascii::to_number(setting(name), 100).value_or(0));
}

/// The kernel's WireGuard is there once a link was made of it; before that its module must be.
bool has_kernel_wireguard() {
    auto socket = netlink::Socket::open(NETLINK_GENERIC);
    if (socket)
        if (const auto family = netlink::find_family(*socket, "wireguard"); family && *family)
            return true;
    if (!has_program("modprobe")) return false;
    const auto found = run_command({"modprobe", "-n", "-q", "wireguard"}, {.silent = true});
    return found && found->status == 0;
}

std::optional<bool> is_clock_synced() {
    timex state{};
    const int answer = ::adjtimex(&state);
    if (answer < 0) return std::nullopt;
    return (state.status & STA_UNSYNC) == 0;
}

/// Those settings of forwarding and of the reverse path filter that files want otherwise. In
/// /etc/sysctl.d only: the last file by name holds, as in sysctl(8).
std::vector<UnsetSetting> unset_settings() {
    std::vector<UnsetSetting> wanted;
    for (const auto& path : paths_in(settings_folder)) {
        const auto text = files::read(path);
        if (!path.ends_with(".conf") || !text) continue;
        for (auto line : ascii::split(*text, '\n')) {
            line = ascii::trim(line.substr(0, line.find('#')));
            const auto equals = line.find('=');
            if (equals == line.npos || line.front() == ';') continue;
            std::string name(ascii::trim(line.substr(0, equals)));
            std::replace(name.begin(), name.end(), '/', '.');
            if (name != "net.ipv4.ip_forward" && name != "net.ipv6.conf.all.forwarding"
                && name != "net.ipv4.conf.all.src_valid_mark")
                continue;
            std::erase_if(wanted, [&name](const UnsetSetting& one) { return one.name == name; });
            wanted.push_back(
                {name, std::string(ascii::trim(line.substr(equals + 1))), setting(name), path});
        }
    }
    std::erase_if(wanted, [](const UnsetSetting& one) { return one.wanted == one.now; });
    return wanted;
}

bool keeps_foreign_rules() {
    std::vector<std::string> paths = paths_in("/etc/systemd/networkd.conf.d");
    paths.emplace_back("/etc/systemd/networkd.conf");
    for (const auto& path : paths) {
        const auto text = files::read(path);
        if (!text) continue;
        for (const auto line : ascii::split(*text, '\n'))
            for (const auto* off : {"no", "false", "0", "off"})
                if (line == fmt::format("ManageForeignRoutingPolicyRules={}", off)) return true;
    }
    return false;
}

HostEvidence examine_host() {
    HostEvidence host;
    host.now = std::time(nullptr);
    host.is_clock_synced = is_clock_synced();
    host.has_kernel_wireguard = has_kernel_wireguard();
    const UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    host.has_tun = static_cast<bool>(tun);
    if (!tun) host.tun_failure = std::strerror(errno);
    host.has_engine = has_program(engine_program());
    host.has_networkd = ::access("/run/systemd/netif", F_OK) == 0;
    host.keeps_foreign_rules = host.has_networkd && keeps_foreign_rules();
    host.forwards_ipv4 = setting("net.ipv4.ip_forward") == "1";
    host.forwards_ipv6 = setting("net.ipv6.conf.all.forwarding") == "1";
    host.unset_settings = unset_settings();
    for (const auto& path : paths_in(config_folder)) {
        struct stat status {};
        const bool secret =
            path.ends_with(".conf") || path.ends_with(".key") || path.ends_with(".psk");
        if (secret && is_world_accessible(path) && ::stat(path.c_str(), &status) == 0)
            host.open_files.push_back(path);
    }
    return host;
}

/// Routes of other interfaces to exactly the same prefixes in the same table.
Result<std::vector<RivalRoute>> rival_routes(netlink::Socket& socket, std::uint32_t link,
                                             const HostState& state) {
    std::vector<RivalRoute> rivals;
    std::vector<std::pair<std::uint32_t, Prefix>> ours;
    for (const auto& route : state.routes)
        if (route.destination.length != 0) ours.emplace_back(route.table, route.destination);
    std::sort(ours.begin(), ours.end());
    auto all = netlink::read_routes_by_link(socket);
    if (!all) return all.error();
    for (const auto& [route, other] : *all) {
        if (other == link || other == 0
            || !std::binary_search(ours.begin(), ours.end(),
                                   std::pair(route.table, route.destination)))
            continue;
        const auto name = netlink::find_link(socket, other);
        rivals.push_back(
            {to_string(route.destination), name && *name ? (*name)->name : std::to_string(other)});
    }
    return rivals;
}

void look_at_file(InterfaceEvidence& one) {
    const std::string path = fmt::format("{}/{}.conf", config_folder, one.name);
    const auto text = files::read(path);
    if (!text) return;
    const auto parsed = config::parse(*text, path);
    one.wants_dns = !parsed.config.interface.dns.empty();
    one.has_dns_program = has_program("resolvconf") || has_program("resolvectl");
    for (const auto& peer : parsed.config.peers) {
        if (!peer.endpoint || IpAddress::parse(peer.endpoint->host)) continue;
        if (!look_up(*peer.endpoint)) one.unknown_hosts.push_back(peer.endpoint->host);
    }
}

Result<InterfaceEvidence> examine_interface(const std::string& name) {
    auto device = read_device(name);
    if (!device) return device.error();
    const auto state = read_host_state(name, device->fwmark);
    if (!state) return state.error();
    auto socket = netlink::Socket::open(NETLINK_ROUTE);
    if (!socket) return socket.error();
    const auto link = netlink::find_link(*socket, name);
    if (!link) return link.error();

    InterfaceEvidence one;
    one.name = name;
    one.mtu = state->mtu;
    one.is_up = state->is_up;
    one.has_key = device->private_key.has_value();
    one.fwmark = device->fwmark;
    one.peers = device->peers.size();
    one.has_ipv6 = std::any_of(state->addresses.begin(), state->addresses.end(),
                               [](const Prefix& p) { return !p.address.is_v4(); });
    one.is_full_tunnel = !state->rules.empty();
    one.has_rules_to_lose = std::any_of(state->rules.begin(), state->rules.end(),
                                        [](const HostRule& rule) { return rule.protocol != 2; });
    one.src_valid_mark = state->src_valid_mark;
    one.rp_filter = number_setting("net.ipv4.conf.all.rp_filter");
    bool has_endpoint = false;
    one.is_outside_ipv4 = true;
    for (const auto& peer : device->peers) {
        has_endpoint = has_endpoint || peer.endpoint;
        if (peer.endpoint && !peer.endpoint->address.is_v4()) one.is_outside_ipv4 = false;
    }
    if (has_endpoint) {
        const auto facts = read_host_facts(*device, {});
        if (!facts) return facts.error();
        one.path_mtu = facts->path_mtu;
    }
    if (*link) {
        auto rivals = rival_routes(*socket, (*link)->index, *state);
        if (!rivals) return rivals.error();
        one.rivals = *std::move(rivals);
    }
    look_at_file(one);
    return one;
}

} // namespace

Result<std::vector<Ailment>> examine(const std::vector<std::string>& interfaces) {
    std::vector<std::string> names = interfaces;
    if (names.empty()) {
        auto all = list_devices();
        if (!all) return all.error();
        names = *std::move(all);
    }
    std::vector<InterfaceEvidence> evidence;
    for (const auto& name : names) {
        auto one = examine_interface(name);
        // The socket of an engine whose device is in another namespace, or gone meanwhile.
        if (!one && interfaces.empty() && one.error().code == Errc::not_found) continue;
        if (!one) return one.error();
        evidence.push_back(*std::move(one));
    }
    return diagnose(examine_host(), evidence);
}

} // namespace wgkit
