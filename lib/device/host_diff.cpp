// Two states of a host compared.
#include <algorithm>
#include <functional>
#include <utility>

#include "util/link_local.hpp"
#include "wgkit/host.hpp"

namespace wgkit {

namespace {

constexpr std::uint8_t by_hand = 3; ///< RTPROT_BOOT

template <class Item, class Same>
bool has(const std::vector<Item>& list, const Item& item, Same same) {
    return std::any_of(list.begin(), list.end(),
                       [&](const Item& other) { return same(item, other); });
}

/// Where routes lead to, sorted; tables may have many of them.
using Way = std::pair<std::uint32_t, Prefix>;
std::vector<Way> ways_of(const std::vector<HostRoute>& routes) {
    std::vector<Way> ways;
    ways.reserve(routes.size());
    for (const auto& route : routes) ways.emplace_back(route.table, route.destination);
    std::sort(ways.begin(), ways.end());
    return ways;
}
bool has(const std::vector<Way>& ways, const HostRoute& route) {
    return std::binary_search(ways.begin(), ways.end(), Way(route.table, route.destination));
}

bool same_rule(const HostRule& a, const HostRule& b) { return a.does_same(b); }

const HostFilter* filter_of(const HostState& state, Family family) {
    const auto at = std::find_if(state.filters.begin(), state.filters.end(),
                                 [family](const HostFilter& g) { return g.family == family; });
    return at == state.filters.end() ? nullptr : &*at;
}

/// Those that a filter protects; link-local ones, which the kernel adds by itself, do not count.
std::vector<IpAddress> protected_by(const HostFilter& filter) {
    auto addresses = filter.addresses;
    std::erase_if(addresses, is_link_local);
    std::sort(addresses.begin(), addresses.end());
    return addresses;
}

class Differ {
  public:
    Differ(const HostState& wanted, const HostState& present, std::span<const Prefix> owned)
        : wanted_(wanted), present_(present), wanted_ways_(ways_of(wanted.routes)),
          present_ways_(ways_of(present.routes)) {
        for (const auto& prefix : owned) owned_.push_back(prefix.masked());
        std::sort(owned_.begin(), owned_.end());
    }

    std::vector<HostStep> run() {
        add();
        remove();
        return std::move(steps_);
    }

  private:
    void add() {
        for (const auto& address : wanted_.addresses)
            if (!has(present_.addresses, address, std::equal_to<>())) step(address);
        if (wanted_.mtu != 0 && wanted_.mtu != present_.mtu)
            step(HostMtu{wanted_.mtu, present_.mtu});
        if (wanted_.is_up && !present_.is_up) step(HostUp{});
        for (const auto& route : wanted_.routes)
            if (!has(present_ways_, route)) step(route);
        if (wanted_.src_valid_mark && !present_.src_valid_mark) step(HostSrcValidMark{});
        add_rules(Family::ipv4, present_.first_rule_ipv4);
        add_rules(Family::ipv6, present_.first_rule_ipv6);
        for (const auto& filter : wanted_.filters) {
            const HostFilter* before = filter_of(present_, filter.family);
            if (before == nullptr)
                step(HostFilterChange{filter, {}});
            else if (before->mark != filter.mark || protected_by(*before) != protected_by(filter))
                step(HostFilterChange{filter, *before});
        }
    }

    /// Each before the one before it: what is looked up first is added last. The rule without
    /// default routes belongs to the tunnel's own, and is its neighbour: that of another does not
    /// do, as it goes with the other.
    void add_rules(Family family, std::uint32_t first) {
        std::uint32_t neighbour = 0;
        for (HostRule rule : wanted_.rules) {
            if (rule.family != family) continue;
            const auto there = std::find_if(
                present_.rules.begin(), present_.rules.end(), [&](const HostRule& other) {
                    return rule.does_same(other)
                           && (!rule.no_default_routes || other.priority + 1 == neighbour);
                });
            if (there != present_.rules.end()) {
                first = neighbour = there->priority;
                continue;
            }
            first = std::max(first, 2U) - 1;
            neighbour = rule.priority = first;
            step(rule);
        }
    }

    bool is_kept(const HostRule& rule) const {
        if (!has(wanted_.rules, rule, same_rule)) return false;
        return !rule.no_default_routes
               || std::any_of(present_.rules.begin(), present_.rules.end(),
                              [&](const HostRule& other) {
                                  return other.family == rule.family && !other.no_default_routes
                                         && other.priority == rule.priority + 1
                                         && has(wanted_.rules, other, same_rule);
                              });
    }

    void remove() {
        // The rule without default routes is found beside the other one: it goes first.
        for (auto rule = present_.rules.rbegin(); rule != present_.rules.rend(); ++rule)
            if (!is_kept(*rule)) step(*rule, true);
        for (const auto& filter : present_.filters)
            if (filter_of(wanted_, filter.family) == nullptr)
                step(HostFilterChange{filter, {}}, true);
        for (const auto& route : present_.routes)
            if (route.protocol == by_hand && is_owned(route) && !has(wanted_ways_, route))
                step(route, true);
        for (const auto& address : present_.addresses)
            if (!is_link_local(address.address)
                && !has(wanted_.addresses, address, std::equal_to<>()))
                step(address, true);
    }

    bool is_owned(const HostRoute& route) const {
        return std::binary_search(owned_.begin(), owned_.end(), route.destination);
    }

    template <class What>
    void step(const What& what, bool remove = false) {
        steps_.push_back({what, remove});
    }

    const HostState& wanted_;
    const HostState& present_;
    std::vector<Way> wanted_ways_;
    std::vector<Way> present_ways_;
    std::vector<Prefix> owned_;
    std::vector<HostStep> steps_;
};

} // namespace

std::vector<HostStep> diff(const HostState& wanted, const HostState& present,
                           std::span<const Prefix> owned) {
    return Differ(wanted, present, owned).run();
}

HostStep inverse(const HostStep& step) {
    if (const auto* mtu = std::get_if<HostMtu>(&step.what))
        return {HostMtu{mtu->before, mtu->mtu}, step.remove};
    if (const auto* filter = std::get_if<HostFilterChange>(&step.what))
        if (filter->before) return {HostFilterChange{*filter->before, filter->filter}, step.remove};
    return {step.what, !step.remove};
}

} // namespace wgkit
