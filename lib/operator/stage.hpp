#pragma once

#include <optional>
#include <string>

#include "operator/draft.hpp"
#include "wgkit/fleet_store.hpp"

namespace wgkit::agent {

/// nodes.yaml becomes the draft's state; nodes that came by join key stay. Publishes nothing.
/// Errors: invalid (another network; what a store does not carry), conflict (revoked keys; a name
/// of one that joined).
Result<Published> stage(Draft& draft, const std::string& network, const mesh::Fleet& fleet,
                        std::optional<bool> drop_unrefreshed);

/// Errors: conflict: a rotation of keys or a rollout is under way.
Result<void> refuse_if_busy(const Draft& draft);

} // namespace wgkit::agent
