#pragma once

#include <string>
#include <string_view>

#include "wgkit/inventory.hpp"
#include "wgkit/result.hpp"

namespace wgkit::tool::fleet {

/// A node as the operator reaches it.
struct Target {
    std::string name;     ///< in nodes.yaml, or of a HOST; empty if only the node knows it
    wgkit::mesh::Ssh ssh; ///< without host: the name
};

/// What ssh is given to reach it.
const std::string& address_of(const Target& target);

/// [NAME=][USER@]HOST[:PORT] as of a command line. The name is the host's first label unless it is
/// given, and empty for an address. Errors: invalid.
Result<Target> parse_target(std::string_view text);

} // namespace wgkit::tool::fleet
