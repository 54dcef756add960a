#pragma once

#include <string>

#include "wgkit/result.hpp"

namespace wgkit::tool::net {

/// Keeps other applies away from a device until it dies, or the process does.
class DeviceLock {
  public:
    /// Errors: conflict (another apply is at work), permission, system.
    static Result<DeviceLock> take(const std::string& interface);
    DeviceLock(DeviceLock&& other) noexcept;
    DeviceLock& operator=(DeviceLock&&) = delete;
    DeviceLock(const DeviceLock&) = delete;
    DeviceLock& operator=(const DeviceLock&) = delete;
    ~DeviceLock();

  private:
    explicit DeviceLock(int fd) : fd_(fd) {}
    int fd_;
};

} // namespace wgkit::tool::net
