#pragma once

#include <string>

#include "net/convergence.hpp"

/// A change in words. Holds no secret.
namespace wgkit::tool::net {

/// A line for each change; + comes, - goes, ~ changes.
std::string to_text(const Convergence& convergence, bool colour);

} // namespace wgkit::tool::net
