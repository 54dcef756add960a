// What a host has, asked of the kernel; single steps done to it.
#include "device/host_state.hpp"

#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "device/packet_filter.hpp"
#include "device/table_names.hpp"
#include "netlink/addresses.hpp"
#include "netlink/links.hpp"
#include "netlink/nft_tables.hpp"
#include "netlink/routes.hpp"
#include "netlink/rules.hpp"
#include "util/ascii.hpp"
#include "util/link_local.hpp"
#include "wgkit/files.hpp"
#include "wgkit/host.hpp"

namespace wgkit {

namespace {

using netlink::Socket;

constexpr const char* src_valid_mark = "/proc/sys/net/ipv4/conf/all/src_valid_mark";
constexpr std::uint32_t first_mark = 51820; ///< wg-quick's choice

Result<Socket> open_socket() {
    auto socket = Socket::open(NETLINK_ROUTE);
    if (socket) socket->filter_dumps();
    return socket;
}

Result<netlink::Link> find(Socket& socket, const std::string& interface) {
    auto link = netlink::find_link(socket, interface);
    if (!link) return link.error();
    if (!*link) return Error{Errc::not_found, fmt::format("no interface {}", interface), {}};
    return **std::move(link);
}

/// A setting of the kernel is one line; a file that is replaced by rename would be none.
Result<void> write_setting(const char* path, char value) {
    std::FILE* file = std::fopen(path, "we");
    const bool good = file != nullptr && std::fputc(value, file) != EOF;
    if (file != nullptr && std::fclose(file) == 0 && good) return {};
    return Error{Errc::system, fmt::format("cannot set {}", path), {}};
}

bool is_on(const char* path) {
    const auto content = files::read(path);
    return content && ascii::trim(*content) == "1";
}

/// The tunnel's own rules: the one with its mark, and its neighbour. wg-quick's look the same.
void add_rules(HostState& state, const std::vector<HostRule>& all, Family family,
               std::uint32_t mark) {
    std::uint32_t& first = family == Family::ipv4 ? state.first_rule_ipv4 : state.first_rule_ipv6;
    for (const auto& rule : all)
        if (rule.priority != 0) first = std::min(first, rule.priority);
    for (const auto& rule : all) {
        if (mark == 0 || rule.unless_mark != mark || rule.table != mark) continue;
        state.rules.push_back(rule);
        for (const auto& other : all)
            if (other.no_default_routes && other.table == main_routing_table && !other.unless_mark
                && other.priority + 1 == rule.priority)
                state.rules.push_back(other);
    }
}

/// The MTU of the way to an address; 0 without one.
Result<std::uint32_t> mtu_of(Socket& socket, const std::optional<netlink::Path>& path) {
    if (!path) return 0U;
    if (path->mtu != 0) return path->mtu;
    auto link = netlink::find_link(socket, path->link);
    if (!link) return link.error();
    return *link ? (*link)->mtu : 0U;
}

/// As wg-quick since 1.0.20260223: the least of all endpoints' ways, else that of the default
/// route, else Ethernet's.
Result<std::uint32_t> path_mtu(Socket& socket, const Device& device) {
    std::uint32_t least = 0;
    const auto take = [&](const Result<std::optional<netlink::Path>>& path) -> Result<void> {
        if (!path) return path.error();
        const auto mtu = mtu_of(socket, *path);
        if (!mtu) return mtu.error();
        if (*mtu != 0 && (least == 0 || *mtu < least)) least = *mtu;
        return {};
    };
    std::vector<IpAddress> seen;
    for (const auto& peer : device.peers)
        if (peer.endpoint && peer.endpoint->scope == 0) seen.push_back(peer.endpoint->address);
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    for (const auto& address : seen)
        if (auto taken = take(netlink::find_path(socket, address)); !taken) return taken.error();
    for (const auto family : {Family::ipv4, Family::ipv6})
        if (least == 0)
            if (auto taken = take(netlink::default_path(socket, family)); !taken)
                return taken.error();
    return least == 0 ? 1500U : least;
}

Result<std::uint32_t> free_table(Socket& socket) {
    for (std::uint32_t table = first_mark;; ++table) {
        const auto routes = netlink::read_routes(socket, 0, table);
        if (!routes) return routes.error();
        if (routes->empty()) return table;
    }
}

bool is_full(const Device& device) {
    return std::any_of(device.peers.begin(), device.peers.end(), [](const DevicePeer& peer) {
        return std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(),
                           [](const Prefix& p) { return p.length == 0; });
    });
}

struct Apply {
    Socket& socket;
    const netlink::Link& link;
    bool remove;

    Result<void> operator()(const HostMtu& step) const {
        return netlink::change_link(socket, link.index, {.mtu = step.mtu});
    }
    Result<void> operator()(const HostUp&) const {
        return netlink::change_link(socket, link.index, {.is_up = !remove});
    }
    Result<void> operator()(const Prefix& address) const {
        if (!remove) return netlink::add_address(socket, link.index, address);
        // Else others of the same subnet would go, too.
        if (address.address.is_v4())
            (void)write_setting(
                fmt::format("/proc/sys/net/ipv4/conf/{}/promote_secondaries", link.name).c_str(),
                '1');
        return netlink::remove_address(socket, link.index, address);
    }
    Result<void> operator()(const HostRoute& route) const {
        return remove ? netlink::remove_route(socket, link.index, route)
                      : netlink::add_route(socket, link.index, route);
    }
    Result<void> operator()(const HostSrcValidMark&) const {
        return write_setting(src_valid_mark, remove ? '0' : '1');
    }
    Result<void> operator()(const HostRule& rule) const {
        return remove ? netlink::remove_rule(socket, rule) : netlink::add_rule(socket, rule);
    }
    Result<void> operator()(const HostFilterChange& step) const {
        return apply_filter(step, link.name, remove);
    }
};

} // namespace

Result<HostFacts> read_host_facts(const Device& device, const config::Interface& wanted,
                                  PathMtu which) {
    auto socket = open_socket();
    if (!socket) return socket.error();
    HostFacts facts;
    facts.fwmark = device.fwmark;
    if (wanted.table && *wanted.table != "auto" && *wanted.table != "off") {
        const auto table = routing_table(*wanted.table);
        if (!table) return table.error();
        facts.table = *table;
    } else if (is_full(device) && device.fwmark == 0) {
        const auto table = free_table(*socket);
        if (!table) return table.error();
        facts.free_table = *table;
    }
    if (!wanted.mtu && which == PathMtu::read) {
        const auto mtu = path_mtu(*socket, device);
        if (!mtu) return mtu.error();
        facts.path_mtu = *mtu;
    }
    return facts;
}

Result<HostState> read_lasting_state(const std::string& interface, std::uint32_t mark) {
    auto socket = open_socket();
    if (!socket) return socket.error();
    HostState state;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        const auto rules = netlink::read_rules(*socket, family);
        if (!rules) return rules.error();
        add_rules(state, *rules, family, mark);
    }
    const auto tables = netlink::find_nft_tables(filter_table(interface));
    if (!tables) return tables.error();
    for (const auto family : *tables) state.filters.push_back({family, mark, {}});
    return state;
}

Result<HostState> read_host_state(const std::string& interface, std::uint32_t fwmark) {
    auto socket = open_socket();
    if (!socket) return socket.error();
    const auto link = find(*socket, interface);
    if (!link) return link.error();
    HostState state;
    state.is_up = link->is_up;
    state.mtu = link->mtu;
    auto addresses = netlink::read_addresses(*socket, link->index);
    if (!addresses) return addresses.error();
    state.addresses = *std::move(addresses);
    auto routes = netlink::read_routes(*socket, link->index);
    if (!routes) return routes.error();
    state.routes = *std::move(routes);
    state.src_valid_mark = is_on(src_valid_mark);
    auto lasting = read_lasting_state(interface, fwmark);
    if (!lasting) return lasting.error();
    state.rules = std::move(lasting->rules);
    state.first_rule_ipv4 = lasting->first_rule_ipv4;
    state.first_rule_ipv6 = lasting->first_rule_ipv6;
    state.filters = std::move(lasting->filters);
    for (auto& filter : state.filters)
        for (const auto& own : state.addresses)
            if (own.address.family() == filter.family && !is_link_local(own.address))
                filter.addresses.push_back(own.address);
    return state;
}

Result<void> apply_step(const HostStep& step, const std::string& interface) {
    auto socket = Socket::open(NETLINK_ROUTE);
    if (!socket) return socket.error();
    // Rules and filters outlast the interface, and can be removed without it.
    const bool needs_link = !std::holds_alternative<HostRule>(step.what)
                            && !std::holds_alternative<HostFilterChange>(step.what)
                            && !std::holds_alternative<HostSrcValidMark>(step.what);
    netlink::Link link;
    link.name = interface;
    if (needs_link) {
        auto found = find(*socket, interface);
        if (!found) return found.error();
        link = *std::move(found);
    }
    auto done = std::visit(Apply{*socket, link, step.remove}, step.what);
    if (done) return {};
    return Error{done.error().code,
                 fmt::format("{}: {}", to_string(step, interface), done.error().message),
                 done.error().hint};
}

} // namespace wgkit
