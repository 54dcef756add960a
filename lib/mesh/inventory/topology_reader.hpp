#pragma once

#include <vector>

#include "util/yaml.hpp"
#include "wgkit/inventory.hpp"

namespace wgkit::mesh {

/// Reads `topology:`: a word for a whole-network form, or a list of rules.
std::vector<TopologyRule> read_topology(const yaml::Value& value, Diagnostics& diagnostics);

} // namespace wgkit::mesh
