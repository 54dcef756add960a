#pragma once

#include <string>

#include "util/unique_fd.hpp"
#include "wgkit/result.hpp"

namespace wgkit::tool::monitor {

/// This thread is in a network namespace while it lives.
class InNamespace {
  public:
    /// By the name that ip-netns(8) gave it. Errors: not_found, permission.
    static Result<InNamespace> enter(const std::string& name);

    InNamespace(InNamespace&& other) noexcept;
    InNamespace& operator=(InNamespace&&) = delete;
    InNamespace(const InNamespace&) = delete;
    InNamespace& operator=(const InNamespace&) = delete;
    ~InNamespace();

  private:
    InNamespace() = default;
    UniqueFd before_;
    bool entered_ = false;
};

} // namespace wgkit::tool::monitor
