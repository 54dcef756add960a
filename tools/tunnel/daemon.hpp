#pragma once

#include <string>

#include "wgkit/result.hpp"

/// How the process behaves as a service, apart from what it does.
namespace wgkit::tool {

/// Keeps keys out of core dumps and, where it is allowed, out of swap.
void protect_memory();

/// Asks for short turns on the processor: no larger share of it, but sooner when packets come, so
/// that fewer of them pile up (sched_setattr(2); Linux 6.12 and later heed it).
void ask_for_short_turns();

/// Gives up every capability but those that a running tunnel needs.
Result<void> drop_capabilities();

/// Goes on in a child; the parent exits with status 0.
Result<void> go_to_background();

/// Where a tunnel's log goes: standard error, or syslog(3) once nobody sees that any more.
class DaemonLog {
  public:
    explicit DaemonLog(std::string interface) : interface_(std::move(interface)) {}
    void write(bool is_error, const std::string& text) const;
    void use_syslog();

  private:
    std::string interface_;
    bool to_syslog_ = false;
};

} // namespace wgkit::tool
