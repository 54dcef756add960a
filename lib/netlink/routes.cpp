#include "netlink/routes.hpp"

#include <linux/rtnetlink.h>

#include <cerrno>

#include "netlink/attributes.hpp"
#include "netlink/family_number.hpp"
#include "netlink/request.hpp"

namespace wgkit::netlink {

namespace {

struct SeenRoute {
    HostRoute route;
    Path path;
};

std::uint32_t mtu_in(const nlattr& metrics) {
    std::uint32_t mtu = 0;
    each_nested(metrics, [&mtu](int type, const nlattr& attribute) {
        if (type == RTAX_MTU) read_value(attribute, mtu);
        return true;
    });
    return mtu;
}

/// A unicast route; others (local, broadcast, cached ones) are none of ours.
std::optional<SeenRoute> route_in(const nlmsghdr& message) {
    const auto* header = header_of<rtmsg>(message);
    if (message.nlmsg_type != RTM_NEWROUTE || header == nullptr) return std::nullopt;
    const bool v4 = header->rtm_family == AF_INET;
    if (!v4 && header->rtm_family != AF_INET6) return std::nullopt;
    SeenRoute seen;
    const std::array<std::uint8_t, 16> zero{};
    seen.route.destination = {
        IpAddress::from_bytes(v4 ? Family::ipv4 : Family::ipv6, std::span(zero).first(v4 ? 4 : 16)),
        header->rtm_dst_len};
    seen.route.table = header->rtm_table;
    seen.route.protocol = header->rtm_protocol;
    each_attribute(message, sizeof(rtmsg), [&](int type, const nlattr& attribute) {
        if (type == RTA_DST) {
            if (const auto to = to_address(header->rtm_family, bytes_of(attribute)))
                seen.route.destination.address = *to;
        } else if (type == RTA_TABLE) {
            read_value(attribute, seen.route.table);
        } else if (type == RTA_PRIORITY) {
            read_value(attribute, seen.route.metric);
        } else if (type == RTA_OIF) {
            read_value(attribute, seen.path.link);
        } else if (type == RTA_METRICS) {
            seen.path.mtu = mtu_in(attribute);
        } else if (type == RTA_PREFSRC) {
            seen.path.source = to_address(header->rtm_family, bytes_of(attribute));
        }
        return true;
    });
    return seen;
}

bool is_plain(const nlmsghdr& message) {
    const auto* header = header_of<rtmsg>(message);
    return header != nullptr && header->rtm_type == RTN_UNICAST
           && (header->rtm_flags & RTM_F_CLONED) == 0;
}

Result<void> each_route(Socket& socket, Family family, std::uint32_t link, std::uint32_t table,
                        const std::function<void()>& begin,
                        const std::function<void(const SeenRoute&)>& visit) {
    Request request(RTM_GETROUTE, NLM_F_DUMP);
    request.header<rtmsg>().rtm_family = family_number(family);
    if (link != 0) request.put(RTA_OIF, link); // obeyed if the socket filters dumps
    if (table != 0) request.put(RTA_TABLE, table);
    const Reader reader{begin, [&](const nlmsghdr& message) -> Result<void> {
                            if (!is_plain(message)) return {};
                            const auto seen = route_in(message);
                            if (seen && seen->route.table != RT_TABLE_LOCAL
                                && (link == 0 || seen->path.link == link)
                                && (table == 0 || seen->route.table == table))
                                visit(*seen);
                            return {};
                        }};
    auto asked = socket.ask(request.message(), "cannot list routes", reader);
    // A table without routes may not exist, IPv6 may be switched off.
    const int error = socket.kernel_error();
    if (!asked && (error == ENOENT || error == EAFNOSUPPORT || error == EOPNOTSUPP)) return {};
    return asked;
}

Request route_request(std::uint16_t type, std::uint16_t flags, std::uint32_t link,
                      const HostRoute& route) {
    Request request(type, flags);
    auto& header = request.header<rtmsg>();
    header.rtm_family = family_number(route.destination.address.family());
    header.rtm_dst_len = route.destination.length;
    header.rtm_table = RT_TABLE_UNSPEC; // RTA_TABLE has room for all numbers
    header.rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : RT_SCOPE_LINK;
    header.rtm_type = type == RTM_DELROUTE ? RTN_UNSPEC : RTN_UNICAST;
    header.rtm_protocol = route.protocol;
    if (route.destination.length != 0)
        request.put_bytes(RTA_DST, route.destination.address.bytes());
    request.put(RTA_OIF, link);
    request.put(RTA_TABLE, route.table);
    if (route.metric != 0) request.put(RTA_PRIORITY, route.metric);
    return request;
}

} // namespace

namespace {

using LinkRoutes = std::vector<std::pair<HostRoute, std::uint32_t>>;

Result<LinkRoutes> read_all(Socket& socket, std::uint32_t link, std::uint32_t table) {
    LinkRoutes routes;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        const std::size_t before = routes.size();
        auto read = each_route(
            socket, family, link, table, [&] { routes.resize(before); },
            [&routes](const SeenRoute& seen) { routes.emplace_back(seen.route, seen.path.link); });
        if (!read) return read.error();
    }
    return routes;
}

} // namespace

Result<std::vector<HostRoute>> read_routes(Socket& socket, std::uint32_t link,
                                           std::uint32_t table) {
    auto all = read_all(socket, link, table);
    if (!all) return all.error();
    std::vector<HostRoute> routes;
    routes.reserve(all->size());
    for (const auto& [route, to] : *all) routes.push_back(route);
    return routes;
}

Result<LinkRoutes> read_routes_by_link(Socket& socket) { return read_all(socket, 0, 0); }

Result<void> add_route(Socket& socket, std::uint32_t link, const HostRoute& route) {
    auto request = route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, link, route);
    return socket.ask(request.message(), "cannot add the route", {});
}

Result<void> put_route_before(Socket& socket, std::uint32_t link, const HostRoute& route,
                              const std::optional<IpAddress>& source) {
    // Without NLM_F_EXCL and NLM_F_APPEND IPv4 takes it for the first of its kind.
    auto request = route_request(RTM_NEWROUTE, NLM_F_CREATE, link, route);
    if (source) request.put_bytes(RTA_PREFSRC, source->bytes());
    auto asked = socket.ask(request.message(), "cannot add the route", {});
    if (!asked && socket.kernel_error() == EEXIST) return {};
    return asked;
}

Result<void> remove_route(Socket& socket, std::uint32_t link, const HostRoute& route) {
    auto request = route_request(RTM_DELROUTE, 0, link, route);
    return socket.ask(request.message(), "cannot remove the route", {});
}

Result<std::optional<Path>> find_path(Socket& socket, const IpAddress& to) {
    Request request(RTM_GETROUTE, 0);
    auto& header = request.header<rtmsg>();
    header.rtm_family = family_number(to.family());
    header.rtm_dst_len = static_cast<std::uint8_t>(to.bits());
    request.put_bytes(RTA_DST, to.bytes());
    std::optional<Path> path;
    const Reader reader{{}, [&path](const nlmsghdr& message) -> Result<void> {
                            if (const auto seen = route_in(message)) path = seen->path;
                            return {};
                        }};
    const auto asked = socket.ask(request.message(), "cannot ask for a route", reader);
    if (asked || socket.kernel_error() != 0) return path; // whatever the kernel had against it
    return asked.error();
}

Result<std::optional<Path>> default_path(Socket& socket, Family family) {
    std::optional<Path> path;
    auto read = each_route(
        socket, family, 0, RT_TABLE_MAIN, [&path] { path.reset(); },
        [&path](const SeenRoute& seen) {
            if (!path && seen.route.destination.length == 0) path = seen.path;
        });
    if (!read) return read.error();
    return path;
}

} // namespace wgkit::netlink
