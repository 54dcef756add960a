#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trust/documents.hpp"
#include "wgkit/mesh.hpp"

namespace wgkit::agent {

struct PublishedInventory {
    std::string network;
    std::string nodes_yaml; ///< of FleetObject
    std::vector<trust::NodeRecord> records;
    bool left_hooks_out = false;
};

/// nodes.yaml and its lock as they go into a store: the network apart from the nodes, without hooks
/// and what only an operator needs. Pure.
/// Errors: invalid (findings; several networks; preshared keys), not_found (a node has no key yet).
Result<PublishedInventory> split_inventory(const mesh::Fleet& fleet);

} // namespace wgkit::agent
