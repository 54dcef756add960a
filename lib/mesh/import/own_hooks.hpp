#pragma once

#include <optional>

#include "mesh/import/draft.hpp"
#include "wgkit/config.hpp"

namespace wgkit::mesh {

/// Gives the node the hooks of its file. Those that our own renderer adds are recognised and become
/// the fields that they came from; `ipv4` and `ipv6` are the pools that an exit's commands name.
void take_hooks(DraftNode& node, const config::Interface& from, const std::optional<Prefix>& ipv4,
                const std::optional<Prefix>& ipv6);

} // namespace wgkit::mesh
