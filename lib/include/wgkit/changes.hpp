#pragma once

#include <string>
#include <vector>

#include "wgkit/mesh.hpp"

namespace wgkit::mesh {

/// One file that `render` would write or remove.
struct Change {
    /// What `render` would do with the file.
    enum class Kind { create, update, remove };
    Kind kind = Kind::update;
    std::string path; ///< relative to the output folder; of the lock: its own path
    /// What differs, a line each, secrets named but never shown: `+ peer c`, `- peer b`,
    /// `~ peer a: endpoint x:1 -> y:1`, `- MTU = 1420`. Empty for whole files.
    std::vector<std::string> details;
};

/// What `render` with these options would change. Writes nothing and makes no key.
/// Cost: one read of the manifest and a stat of each file it lists, and then, if the inventory
/// changed, work in proportion to what changes; a render by another version of wgkit or of some
/// nodes only is compared in full instead.
/// Errors: as `render`, but keys that are still to be made are no error.
WGKIT_API Result<std::vector<Change>> plan_changes(Fleet& fleet, const RenderOptions& options);

} // namespace wgkit::mesh
