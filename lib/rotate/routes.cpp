#include "rotate/routes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace wgkit::rotate {

namespace {

constexpr std::uint8_t by_hand = 3; ///< RTPROT_BOOT

bool cannot_move(const Prefix& prefix) {
    const auto bytes = prefix.address.bytes();
    // Link-local and multicast addresses are bound to an interface.
    return prefix.address.is_v4()
               ? bytes[0] >= 224
               : bytes[0] == 0xff || (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80);
}

/// Prefixes by length, so that thousands of them are asked about thousands of times.
class PrefixIndex {
  public:
    explicit PrefixIndex(std::span<const Prefix> prefixes) {
        for (const auto& prefix : prefixes) add(prefix.masked());
    }
    void add(const Prefix& prefix) {
        all_.insert(prefix);
        lengths_.insert(prefix.length);
    }
    /// Calls `visit` for each that contains `to`, shorter ones first.
    template <class Visit>
    void each_around(const Prefix& to, Visit visit) const {
        for (const auto length : lengths_) {
            if (length > to.length) return;
            const Prefix around = Prefix{to.address, length}.masked();
            if (all_.contains(around)) visit(around);
        }
    }
    /// Length of the longest that contains it; -1: none does.
    int reach(const Prefix& to) const {
        int longest = -1;
        each_around(to, [&longest](const Prefix& around) { longest = around.length; });
        return longest;
    }

  private:
    std::set<Prefix> all_;
    std::set<std::uint8_t> lengths_;
};

/// IPv4 puts an equal route in front; IPv6 asks for a better metric.
std::uint32_t better_metric(const HostRoute& route) {
    if (route.destination.address.is_v4() || route.metric <= 1) return route.metric;
    return route.metric - 1;
}

} // namespace

std::vector<SecondRoute> second_routes(std::span<const HostRoute> present,
                                       std::span<const Prefix> moving,
                                       std::span<const Prefix> staying) {
    std::map<std::pair<std::uint32_t, Prefix>, SecondRoute> found;
    const auto add = [&found](const HostRoute& route, bool is_part) {
        auto [at, fresh] =
            found.try_emplace({route.table, route.destination}, SecondRoute{route, is_part});
        if (fresh) return;
        SecondRoute& known = at->second;
        if (known.is_part && !is_part)
            known = {route, false};
        else if (known.is_part == is_part)
            known.route.metric = std::min(known.route.metric, route.metric);
    };
    const PrefixIndex mine(moving);
    const PrefixIndex others(staying);
    std::map<std::uint32_t, PrefixIndex> tables;
    for (const auto& route : present) {
        tables.try_emplace(route.table, std::span<const Prefix>())
            .first->second.add(route.destination);
        const int reach = mine.reach(route.destination);
        if (!cannot_move(route.destination) && reach >= 0
            && reach > others.reach(route.destination))
            add({route.destination, route.table, by_hand, better_metric(route)}, false);
    }
    for (const auto& prefix : moving) {
        const Prefix to = prefix.masked();
        if (cannot_move(to)) continue;
        for (const auto& [table, routes] : tables)
            routes.each_around(to, [&, number = table](const Prefix& around) {
                if (around != to) add({to, number, by_hand, 0}, true);
            });
    }
    std::vector<SecondRoute> routes;
    for (const auto& [key, route] : found) routes.push_back(route);
    return routes;
}

} // namespace wgkit::rotate
