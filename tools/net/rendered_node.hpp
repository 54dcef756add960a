#pragma once

#include <string>
#include <vector>

#include "wgkit/result.hpp"

namespace wgkit::tool::net {

/// The files of the interfaces of a node, from its folder in the output of `wgkit mesh render`, in
/// the order of their names. The manifest of the render, beside the folder, must list them, and all
/// files of the node must be as it says: an unfinished render, or copy, would be half of a node.
/// Errors: not_found (no manifest, no such node, no interface), conflict (a file is another one).
Result<std::vector<std::string>> files_of_rendered_node(const std::string& folder);

} // namespace wgkit::tool::net
