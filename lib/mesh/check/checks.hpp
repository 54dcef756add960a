#pragma once

#include "mesh/check/check.hpp"

/// The single checks that check.hpp is made of, a file each. Values that defaults and groups set
/// are shared by many nodes: what is wrong with such a value is said without the node's name, so
/// that Diagnostics keeps it once.
namespace wgkit::mesh {

/// Bytes, RFC 8200 section 5.
inline constexpr std::uint16_t least_ipv6_mtu = 1280;

/// Neither disabled nor expired.
bool is_active(const Node& node, Date today);

void check_network_names(const Inventory& inventory, Diagnostics& diagnostics);
void check_references(const Inventory& inventory, Diagnostics& diagnostics);
void check_shared_nodes(const Inventory& inventory, Diagnostics& diagnostics);

void check_names(const Network& network, Diagnostics& diagnostics);
void check_selectors(const Network& network, Date today, Diagnostics& diagnostics);
void check_exits(const Network& network, Date today, Diagnostics& diagnostics);
void check_keys(const Network& network, const LockedNetwork& lock, Date today,
                Diagnostics& diagnostics);
void check_endpoints(const Network& network, Date today, Diagnostics& diagnostics);
void check_routes(const Network& network, Date today, Diagnostics& diagnostics);
void check_fields(const Network& network, Date today, Diagnostics& diagnostics);

void check_overrides(const Plan& plan, Diagnostics& diagnostics);
void check_paths(const Plan& plan, Diagnostics& diagnostics);
void check_mtus(const Plan& plan, Diagnostics& diagnostics);

} // namespace wgkit::mesh
