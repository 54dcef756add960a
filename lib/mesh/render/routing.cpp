#include "mesh/render/routing.hpp"

#include <algorithm>

namespace wgkit::mesh {

namespace {

/// wg-quick's first choice.
constexpr std::uint32_t default_mark = 51820;

std::vector<Prefix> all_allowed_ips(const NodeView& view) {
    std::vector<Prefix> all;
    for (const auto& peer : view.peers)
        for (const auto& prefix : peer.allowed_ips()) all.push_back(prefix.masked());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

} // namespace

bool Routing::full_tunnel(Family family) const {
    return std::any_of(defaults.begin(), defaults.end(),
                       [&](const Prefix& p) { return p.address.family() == family; });
}

Routing make_routing(const NodeView& view) {
    Routing routing;
    const std::string table = view.node().table.value_or("auto");
    if (view.node().fwmark.value_or(0) != 0) routing.mark = view.node().fwmark;
    if (table == "off") {
        routing.peer_routes = false;
        return routing;
    }
    routing.routes = all_allowed_ips(view);
    if (table != "auto") { // one table for all, and no rules: the owner's own are in charge
        const bool hex = table.starts_with("0x"); // which NetworkManager does not read
        if (table != "main")
            routing.table = hex ? std::to_string(std::stoul(table, nullptr, 16)) : table;
        return routing;
    }
    std::erase_if(routing.routes, [&](const Prefix& route) {
        if (route.length == 0) routing.defaults.push_back(route);
        const auto& own = view.member.interface;
        return route.length == 0 || std::any_of(own.begin(), own.end(), [&](const Prefix& p) {
                   return p.masked().contains(route);
               });
    });
    if (routing.full_tunnel() && !routing.mark) routing.mark = default_mark;
    return routing;
}

Dns make_dns(const Node& node) {
    Dns dns;
    for (const auto& entry : node.dns) {
        const auto address = IpAddress::parse(entry.value);
        (!address ? dns.search : address->is_v4() ? dns.ipv4 : dns.ipv6).push_back(entry.value);
    }
    return dns;
}

} // namespace wgkit::mesh
