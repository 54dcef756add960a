#pragma once

#include <span>
#include <vector>

#include "util/process.hpp"
#include "wgkit/confirm.hpp"

namespace wgkit::confirm {

/// This process, its parent and so on, without process 1.
Result<std::vector<Process>> read_ancestors();

/// Whether the one at the keyboard came in after `armed`. Pure. What proves that is a process which
/// somebody's arrival starts: the server's process of an ssh connection, not a shell in one, as
/// that may be a second one in an old connection; what login(1) starts at a console; or one that
/// came from outside of the PID namespace. A process of cron or tmux proves nothing.
/// Errors: conflict, with the reason.
Result<void> check_origin(std::span<const Process> chain, BootTime armed, BootTime now);

} // namespace wgkit::confirm
