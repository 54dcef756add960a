#pragma once

#include <optional>
#include <string>

#include "net/request.hpp"

/// A plan in a file: what it is about, and what it would change. It names the file of the interface
/// and holds hashes, but no key.
namespace wgkit::tool::net {

/// What a saved plan was made from.
struct SavedPlan {
    std::string path;
    Json plan; ///< the change, as `to_json` has it, with what is needed to tell whether it holds
};

/// Writes a plan. Returns the exit status.
int save_plan(const std::string& path, const Convergence& it, const Request& request,
              const Report& report);

/// The plan at a path; nothing if there is something else. Errors: invalid, not_found, permission.
Result<std::optional<SavedPlan>> read_plan(const std::string& path);

/// The request that the plan was made by. Errors: invalid.
Result<void> restore_request(const SavedPlan& saved, Request& request);

/// Refuses a plan if the file, the interface's state or the change is another one than then.
/// Errors: conflict, which says what.
Result<void> check_plan(const SavedPlan& saved, const Convergence& it);

} // namespace wgkit::tool::net
