#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mesh/node_view.hpp"

namespace wgkit::mesh {

/// What leads packets into the tunnel. wg-quick works it out when it brings an interface up; the
/// other formats have to say it, and say here what wg-quick would do.
struct Routing {
    std::vector<Prefix> routes; ///< sorted; without those that the interface's own prefixes cover
    std::string table;          ///< of `routes`; empty: main
    bool peer_routes = true;    ///< false: the owner said `table: off`
    /// 0.0.0.0/0 and ::/0. They go into the table `*mark`, which everything but the tunnel's own
    /// packets (they carry `mark`) looks up after the specific routes of the main table.
    std::vector<Prefix> defaults;
    std::optional<std::uint32_t> mark; ///< firewall mark of the tunnel's own packets

    bool full_tunnel() const { return !defaults.empty(); }
    bool full_tunnel(Family family) const;
};

Routing make_routing(const NodeView& view);

/// The priorities that wg-quick's rules get in a kernel without other rules.
inline constexpr unsigned main_table_rule_priority = 32764;
inline constexpr unsigned tunnel_rule_priority = 32765;

/// A node's DNS entries by what they are.
struct Dns {
    std::vector<std::string> ipv4; ///< servers
    std::vector<std::string> ipv6;
    std::vector<std::string> search;

    bool has_servers() const { return !ipv4.empty() || !ipv6.empty(); }
};

Dns make_dns(const Node& node);

} // namespace wgkit::mesh
