#pragma once

#include <string>

#include "util/unique_fd.hpp"
#include "wgkit/confirm.hpp"

namespace wgkit::confirm {

/// Tells when something changes in the folder of a change. Make it before you read: then nothing
/// that comes after is missed.
class Events {
  public:
    /// A folder that is not there is waited for in vain.
    explicit Events(const std::string& folder);

    /// Until something changes, or `time` is over, suspended time included.
    void wait(BootTime time) const;

  private:
    UniqueFd changes_;
    UniqueFd timer_;
};

} // namespace wgkit::confirm
