#pragma once

#include "mesh/render/routing.hpp"
#include "wgkit/secret.hpp"

namespace wgkit::mesh {

/// The policy rules of a full tunnel as sections of a .network file; nothing for other nodes.
void append_tunnel_rules(SecretString& text, const Routing& routing);

} // namespace wgkit::mesh
