#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/result.hpp"

/// What of a host keeps its tunnels from working, found without changing anything.
namespace wgkit {

/// problem: does not work. risk: will not work under some circumstance. note: as it may be meant.
enum class Weight { problem, risk, note };

/// One finding with its evidence and its cure.
struct Ailment {
    std::string code; ///< stable, e.g. "mtu-too-large"; wgkit-net(8) lists them
    Weight weight = Weight::problem;
    std::string interface; ///< empty: of the whole host
    std::string message;   ///< lower case, no full stop
    std::string evidence;  ///< what was seen, and where
    std::string fix;       ///< a command or an edit
};

/// A setting of sysctl(8) in a file that the running kernel does not have.
struct UnsetSetting {
    std::string name;
    std::string wanted;
    std::string now;
    std::string file;
};

/// A route to the same prefix by another interface.
struct RivalRoute {
    std::string prefix;
    std::string interface;
};

/// What was seen of the host.
struct HostEvidence {
    std::int64_t now = 0;                ///< seconds since 1970
    std::optional<bool> is_clock_synced; ///< nothing: the kernel does not say
    bool has_kernel_wireguard = false;
    bool has_tun = false;
    std::string tun_failure; ///< why /dev/net/tun cannot be opened
    bool has_engine = false; ///< wgkit-tunnel is found
    bool has_networkd = false;
    bool keeps_foreign_rules = false; ///< networkd is told to
    bool forwards_ipv4 = false;
    bool forwards_ipv6 = false;
    std::vector<UnsetSetting> unset_settings;
    std::vector<std::string> open_files; ///< with secrets, and open to others
};

/// What was seen of one interface.
struct InterfaceEvidence {
    std::string name;
    std::uint32_t mtu = 0;
    std::uint32_t path_mtu = 0;   ///< the least on the ways to endpoints; 0: unknown
    bool is_outside_ipv4 = false; ///< all endpoints are IPv4 addresses: 20 bytes less to carry
    bool has_ipv6 = false;        ///< an address inside
    bool is_up = false;
    bool has_key = true;
    bool is_full_tunnel = false;
    std::uint32_t fwmark = 0;
    int rp_filter = 0; ///< the stricter of `all` and the interfaces that packets arrive on
    bool src_valid_mark = false;
    bool has_rules_to_lose = false; ///< rules of a protocol that networkd removes
    std::size_t peers = 0;
    bool wants_dns = false;                 ///< its file has name servers
    bool has_dns_program = false;           ///< resolvconf or resolvectl
    std::vector<std::string> unknown_hosts; ///< endpoints' names that have no address now
    std::vector<RivalRoute> rivals;
};

/// Pure. The gravest come first.
WGKIT_API std::vector<Ailment> diagnose(const HostEvidence& host,
                                        const std::vector<InterfaceEvidence>& interfaces);

/// Looks at the host and at the interfaces, or all of WireGuard if none is named. Asks name servers
/// for endpoints. Errors: not_found, invalid, permission, system.
WGKIT_API Result<std::vector<Ailment>> examine(const std::vector<std::string>& interfaces);

} // namespace wgkit
