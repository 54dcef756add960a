#pragma once

#include <map>
#include <string>
#include <vector>

#include "wgkit/changes.hpp"
#include "wgkit/plan.hpp"

namespace wgkit::mesh {

/// What differs in the files of one node between two plans.
struct NodeDelta {
    std::map<std::string, std::vector<std::string>> details; ///< by path below the node's folder
};

/// Compares two plans of one network, node by node, by name; nodes that are the same in both are
/// left out, as are those that only one plan has. Pure.
std::map<std::string, NodeDelta> compare(const Plan& before, const Plan& after,
                                         std::optional<Format> format);

/// Paths of the files that a node of this plan has, below its folder.
std::vector<std::string> file_paths(const Plan& plan, NodeIndex node, std::optional<Format> format);

} // namespace wgkit::mesh
