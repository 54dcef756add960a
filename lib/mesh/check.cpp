#include "mesh/check.hpp"

#include "mesh/check/checks.hpp"

namespace wgkit::mesh {

bool is_active(const Node& node, Date today) {
    return !node.disabled && !(node.expires && node.expires->value <= today);
}

void check_network(const Network& network, const LockedNetwork& lock, Date today,
                   Diagnostics& diagnostics) {
    check_names(network, diagnostics);
    check_selectors(network, today, diagnostics);
    check_exits(network, today, diagnostics);
    check_keys(network, lock, today, diagnostics);
    check_endpoints(network, today, diagnostics);
    check_routes(network, today, diagnostics);
    check_fields(network, today, diagnostics);
}

void check_plan(const Plan& plan, Diagnostics& diagnostics) {
    check_overrides(plan, diagnostics);
    check_paths(plan, diagnostics);
    check_mtus(plan, diagnostics);
}

void check_inventory(const Inventory& inventory, Diagnostics& diagnostics) {
    check_network_names(inventory, diagnostics);
    check_references(inventory, diagnostics);
    check_shared_nodes(inventory, diagnostics);
}

} // namespace wgkit::mesh
