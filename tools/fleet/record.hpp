#pragma once

#include <map>
#include <string>
#include <vector>

#include "util/unique_fd.hpp"
#include "wgkit/fleet.hpp"
#include "wgkit/inventory.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::tool::fleet {

/// A node that was revoked, and who has still to hear of it.
struct Revocation {
    std::string node;
    std::vector<PublicKey> keys;
    std::vector<std::string> pending; ///< names of nodes
};

/// What the operator's side keeps between runs, in the folder fleet/ beside nodes.yaml: `log`, and
/// `state.json`, which is replaced as a whole. Holds no secret.
class Record {
  public:
    /// Reads it; `nodes` is the inventory's path. Errors: invalid, permission, system.
    static Result<Record> open(const std::string& nodes);
    /// As `open`, for a run that changes nodes: only one at a time.
    /// Errors: conflict (another one is at work).
    static Result<Record> lock(const std::string& nodes);

    std::map<std::string, std::string> pending;  ///< node -> what it still has to get, e.g. "apply"
    std::vector<Revocation> revocations;         ///< until every node has heard of them
    std::vector<std::string> rotating;           ///< nodes whose keys are being changed
    std::vector<std::string> to_rotate;          ///< nodes that come after these
    std::vector<wgkit::mesh::LearnedKey> agreed; ///< new keys that all peers of `rotating` know of
    std::vector<PublicKey> revoked;              ///< all keys that ever were

    Result<void> save() const;
    /// Adds to the log; a failure to do so is the caller's failure.
    Result<void> log(const std::string& action, const std::vector<std::string>& nodes,
                     const std::string& result, const std::string& detail) const;
    std::string log_path() const { return folder_ + "/log"; }

  private:
    std::string folder_;
    UniqueFd lock_;
};

} // namespace wgkit::tool::fleet
