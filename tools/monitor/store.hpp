#pragma once

#include "common/report.hpp"
#include "util/unique_fd.hpp"
#include "wgkit/monitor.hpp"

/// The state file and its lock.
namespace wgkit::tool::monitor {

using namespace wgkit::monitor;

/// /var/lib/wgkit/monitor.state for root, else below XDG_STATE_HOME.
std::string default_state_path();

class Store {
  public:
    /// Locks the file against other runs. Errors: conflict if one is at work, permission, system.
    static Result<Store> open(const std::string& path);

    /// The state; an empty one if there is none. One that cannot be used is kept beside, as
    /// PATH.unusable, and said so. Errors: permission, system.
    Result<State> load(const Report& report) const;
    /// Replaces it, whole, for group to read.
    Result<void> save(const State& state) const;

    const std::string& path() const { return path_; }

  private:
    std::string path_;
    UniqueFd lock_;
};

} // namespace wgkit::tool::monitor
