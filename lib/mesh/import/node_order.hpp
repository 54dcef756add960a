#pragma once

#include <string>
#include <vector>

#include "mesh/import/draft.hpp"

namespace wgkit::mesh {

/// An order of all nodes that agrees with the order of peers in every file, as far as there is one.
std::vector<std::string> common_order(const std::vector<Draft>& drafts);

/// Sorts the nodes of a draft into that order.
void reorder(Draft& draft, const std::vector<std::string>& order);

} // namespace wgkit::mesh
