#pragma once

#include <string>
#include <string_view>

#include "common/report.hpp"
#include "util/unique_fd.hpp"
#include "wgkit/files.hpp"
#include "wgkit/secret.hpp"

/// A state file and its lock.
namespace wgkit::tool::monitor {

/// Where state is kept: /var/lib/wgkit for root, else below XDG_STATE_HOME.
std::string default_state_folder();

class Store {
  public:
    /// Locks the file against other runs. Errors: conflict if one is at work, permission, system.
    static Result<Store> open(const std::string& path);

    /// Its text; empty if there is none. Errors: permission, system.
    Result<SecretString> load() const;
    /// Its text cannot be used: kept beside, as PATH.unusable, and said so.
    void set_aside(const Error& why, const Report& report) const;
    /// Replaces it, whole, for group to read.
    Result<void> save(const files::Producer& text) const;

  private:
    std::string path_;
    UniqueFd lock_;
};

} // namespace wgkit::tool::monitor
