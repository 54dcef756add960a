#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "wgkit/config.hpp"
#include "wgkit/device.hpp"
#include "wgkit/export.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/result.hpp"

/// What an interface of WireGuard has besides WireGuard: addresses, MTU, routes, rules of policy
/// routing, and the packet filter of full tunnels. What is wanted follows from a file as
/// wg-quick(8) reads it; the steps from the present to the wanted state are data, each with its
/// inverse.
namespace wgkit {

inline constexpr std::uint32_t main_routing_table = 254;

/// A route straight to the interface.
struct HostRoute {
    Prefix destination; ///< without host bits
    std::uint32_t table = main_routing_table;
    std::uint8_t protocol = 3; ///< who made it (rtnetlink(7)); 3, "boot": somebody by hand
    std::uint32_t metric = 0;  ///< 0: the kernel's choice

    auto operator<=>(const HostRoute&) const = default;
};

/// A rule that looks up a table. For a full tunnel there are two: "all but the tunnel's own packets
/// look up its table", before it "all packets look up the main table, but take no default route".
struct HostRule {
    Family family = Family::ipv4;
    std::optional<std::uint32_t> unless_mark{}; ///< not for packets with this firewall mark
    std::uint32_t table = main_routing_table;
    bool no_default_routes = false; ///< suppress_prefixlength 0
    std::uint32_t priority = 0;     ///< 0 in a wanted state: `diff` chooses
    /// 2, "kernel": systemd-networkd removes rules of all others when it starts.
    std::uint8_t protocol = 2;

    /// Whether both do the same, whatever their priority and whoever made them.
    bool does_same(const HostRule& other) const {
        return family == other.family && unless_mark == other.unless_mark && table == other.table
               && no_default_routes == other.no_default_routes;
    }
    auto operator<=>(const HostRule&) const = default;
};

/// The packet filter of a full tunnel, as wg-quick sets it up: packets from elsewhere to the
/// tunnel's addresses are dropped, and replies to marked packets get the mark back, so that the
/// reverse path filter accepts them.
struct HostFilter {
    Family family = Family::ipv4;
    std::uint32_t mark = 0;
    std::vector<IpAddress> addresses;

    auto operator<=>(const HostFilter&) const = default;
};

/// All of it. A value 0 or an empty list: none, or leave alone, as each comment says.
struct HostState {
    bool is_up = false;
    std::uint32_t mtu = 0; ///< 0 in a wanted state: leave alone
    std::vector<Prefix> addresses;
    std::vector<HostRoute> routes;
    bool src_valid_mark = false; ///< false in a wanted state: leave alone
    std::vector<HostRule> rules;
    std::vector<HostFilter> filters; ///< of a present state: their addresses are the interface's
    /// Of a present state: the first priority after that of the table local, by family. Rules are
    /// added before it, as the kernel does by itself.
    std::uint32_t first_rule_ipv4 = 32766;
    std::uint32_t first_rule_ipv6 = 32766;

    bool operator==(const HostState&) const = default;
};

/// Sets the MTU of the interface; in bytes.
struct HostMtu {
    std::uint32_t mtu = 0;
    std::uint32_t before = 0;

    auto operator<=>(const HostMtu&) const = default;
};
/// Sets the interface up.
struct HostUp {
    auto operator<=>(const HostUp&) const = default;
};
/// Sets net.ipv4.conf.all.src_valid_mark, which marked replies need (wg-quick(8)).
struct HostSrcValidMark {
    auto operator<=>(const HostSrcValidMark&) const = default;
};
/// The filter whole, in one transaction.
struct HostFilterChange {
    HostFilter filter;
    std::optional<HostFilter> before; ///< what it replaces

    auto operator<=>(const HostFilterChange&) const = default;
};

/// One change of a host.
struct HostStep {
    std::variant<HostMtu, HostUp, Prefix, HostRoute, HostSrcValidMark, HostRule, HostFilterChange>
        what;
    bool remove = false;

    auto operator<=>(const HostStep&) const = default;
};

/// What undoes a step.
WGKIT_API HostStep inverse(const HostStep& step);
/// The step as a command of ip(8), sysctl(8) or nft(8).
WGKIT_API std::string to_string(const HostStep& step, const std::string& interface);

/// What the wanted state depends on besides the file.
struct HostFacts {
    std::uint32_t fwmark = 0;             ///< the device's, 0: none
    std::uint32_t free_table = 51820;     ///< a routing table without routes, also the mark to take
    std::uint32_t path_mtu = 0;           ///< the least on the ways to endpoints; 0: unknown
    std::optional<std::uint32_t> table{}; ///< the number of `Table`, unless it is auto or off
};

/// What is done about the MTU where the file has none.
enum class PathMtu { read, leave };

/// Reads the facts for a file: the device's mark, and with PathMtu::read the ways to its endpoints.
/// Errors: invalid (no such table), conflict, system.
WGKIT_API Result<HostFacts> read_host_facts(const Device& device, const config::Interface& wanted,
                                            PathMtu path_mtu = PathMtu::read);

/// What the host is to have for an interface, and what its device needs for it.
struct HostWanted {
    HostState state;
    std::uint32_t fwmark = 0; ///< the mark that the device needs for it; 0: none
};

/// The wanted state of an interface whose peers have `allowed_ips`, by the rules of wg-quick(8).
/// Pure. The MTU is the file's; without one, `facts.path_mtu` less 80, or 0 if that is unknown.
WGKIT_API HostWanted wanted_host(const config::Interface& wanted,
                                 std::span<const Prefix> allowed_ips, const HostFacts& facts);

/// What the interface has now. `fwmark`: the device's; rules and filters go with it.
/// Errors: not_found, permission, conflict, system.
WGKIT_API Result<HostState> read_host_state(const std::string& interface, std::uint32_t fwmark);

/// The steps from `present` to `wanted`, in an order in which no packet that could be sent before
/// and after is lost between: what is new comes first. Pure.
/// Routes are removed only if they lead to one of `owned`, the allowed IPs that the device had:
/// others are the work of hooks or of routing daemons. Link-local addresses are left alone.
WGKIT_API std::vector<HostStep> diff(const HostState& wanted, const HostState& present,
                                     std::span<const Prefix> owned);

/// A hash of what `diff` looks at, by which to tell whether a host's state has changed since.
/// Shape: 64 hexadecimal digits.
WGKIT_API std::string state_hash(const HostState& state);

/// Does one step. Errors: those of the kernel, of nft or iptables-restore; not_found without them.
WGKIT_API Result<void> apply_step(const HostStep& step, const std::string& interface);

} // namespace wgkit
