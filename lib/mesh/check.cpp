#include "mesh/check.hpp"

namespace wgkit::mesh {

void check_network(const Network&, const LockedNetwork&, Date, Diagnostics&) {}
void check_plan(const Plan&, Diagnostics&) {}
void check_inventory(const Inventory&, Diagnostics&) {}

} // namespace wgkit::mesh
