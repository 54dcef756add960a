#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace wgkit::tool {

/// A line on a terminal that says how far long work is; silent elsewhere and for the first 200 ms.
class Progress {
  public:
    Progress(std::string what, bool silent);

    void update(std::size_t done, std::size_t total);
    /// Removes the line.
    void finish();

  private:
    std::string what_;
    bool active_;
    bool shown_ = false;
    std::chrono::steady_clock::time_point next_;
};

} // namespace wgkit::tool
