#pragma once

#include <chrono>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "wgkit/confirm.hpp"

namespace wgkit::confirm {

/// A process, and the one that it comes from.
struct Ancestor {
    pid_t pid = 0;
    pid_t parent = 0; ///< 0: outside of this PID namespace, or none
    std::string name; ///< as in /proc/PID/comm
    BootTime began{}; ///< rounded down to a tick of the clock, 10 ms
};

/// This process, its parent and so on, without process 1.
Result<std::vector<Ancestor>> read_ancestors();

/// Whether the one at the keyboard came in after `armed`. Pure. What proves that is a process which
/// somebody's arrival starts: the server's process of an ssh connection, not a shell in one, as
/// that may be a second one in an old connection; what login(1) starts at a console; or one that
/// came from outside of the PID namespace. A process of cron or tmux proves nothing.
/// Errors: conflict, with the reason.
Result<void> check_origin(std::span<const Ancestor> chain, BootTime armed, BootTime now);

} // namespace wgkit::confirm
