#pragma once

#include "common/json.hpp"
#include "net/convergence.hpp"

/// A change as JSON, schema 1: wgkit-net(8) has the members. Holds no secret.
namespace wgkit::tool::net {

Json to_json(const Convergence& convergence);

} // namespace wgkit::tool::net
