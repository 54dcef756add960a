// From a file to the state that wg-quick(8) would bring about.
#include <algorithm>

#include "util/ascii.hpp"
#include "wgkit/host.hpp"

namespace wgkit {

namespace {

/// What each packet in the tunnel costs outside: headers of IPv6, UDP and the protocol, and
/// padding.
constexpr std::uint32_t tunnel_overhead = 80;

/// Each once, longest prefixes first, as wg-quick adds routes.
std::vector<Prefix> destinations(std::span<const Prefix> allowed_ips) {
    std::vector<Prefix> all;
    for (const auto& prefix : allowed_ips) all.push_back(prefix.masked());
    std::sort(all.begin(), all.end(), [](const Prefix& a, const Prefix& b) {
        return a.length != b.length ? a.length > b.length : a < b;
    });
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

/// Whether the kernel has a route there in its main table because of the interface's addresses.
bool is_connected(const std::vector<Prefix>& addresses, const Prefix& to) {
    return std::any_of(addresses.begin(), addresses.end(), [&to](const Prefix& own) {
        const bool alone = own.address.is_v4() && own.length == 32; // only in the table local
        return !alone && own.masked().contains(to);
    });
}

HostFilter filter_of(Family family, std::uint32_t mark, const std::vector<Prefix>& addresses) {
    HostFilter filter{family, mark, {}};
    for (const auto& own : addresses)
        if (own.address.family() == family) filter.addresses.push_back(own.address);
    return filter;
}

/// A default route of the tunnel's own table, which the tunnel's own packets do not look up.
void add_default(HostState& state, const Prefix& to, std::uint32_t mark) {
    const Family family = to.address.family();
    state.routes.push_back({to, mark});
    state.rules.push_back({.family = family, .unless_mark = mark, .table = mark});
    state.rules.push_back({.family = family, .unless_mark = {}, .no_default_routes = true});
    state.filters.push_back(filter_of(family, mark, state.addresses));
    if (family == Family::ipv4) state.src_valid_mark = true;
}

} // namespace

HostWanted wanted_host(const config::Interface& wanted, std::span<const Prefix> allowed_ips,
                       const HostFacts& facts) {
    HostWanted out;
    HostState& state = out.state;
    state.is_up = true;
    if (wanted.mtu)
        state.mtu = *wanted.mtu;
    else if (facts.path_mtu > tunnel_overhead)
        state.mtu = facts.path_mtu - tunnel_overhead;
    for (const auto& address : wanted.addresses)
        if (std::find(state.addresses.begin(), state.addresses.end(), address)
            == state.addresses.end())
            state.addresses.push_back(address);
    if (wanted.table == "off") return out;
    const auto all = destinations(allowed_ips);
    if (wanted.table && *wanted.table != "auto") {
        const std::uint32_t table = facts.table.value_or(main_routing_table);
        for (const auto& to : all)
            if (table != main_routing_table || !is_connected(state.addresses, to))
                state.routes.push_back({to, table});
        return out;
    }
    for (const auto& to : all) {
        if (to.length == 0) {
            const std::uint32_t mark = wanted.fw_mark.value_or(0) != 0 ? *wanted.fw_mark
                                       : facts.fwmark != 0             ? facts.fwmark
                                                                       : facts.free_table;
            out.fwmark = mark;
            add_default(state, to, mark);
        } else if (!is_connected(state.addresses, to)) {
            state.routes.push_back({to});
        }
    }
    return out;
}

} // namespace wgkit
