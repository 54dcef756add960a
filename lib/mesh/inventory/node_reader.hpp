#pragma once

#include <string_view>
#include <vector>

#include "util/yaml.hpp"
#include "wgkit/inventory.hpp"

namespace wgkit::mesh {

/// Where a group of node fields stands in the file.
enum class FieldScope {
    node,    ///< an entry of `nodes:`
    network, ///< a node's settings for one network
    shared,  ///< `defaults:` or an entry of `groups:`
};

/// Names of the fields that may stand in that scope.
std::vector<std::string_view> node_field_names(FieldScope scope);

/// Sets the node's fields from a mapping; what the mapping does not mention stays as it is, lists
/// are replaced. Errors: unknown fields and bad values become diagnostics.
void apply_node_fields(const yaml::Value& map, FieldScope scope, Node& node,
                       Diagnostics& diagnostics);

PskMode read_psk_mode(const yaml::Value& value, Diagnostics& diagnostics);

} // namespace wgkit::mesh
