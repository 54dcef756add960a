#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "wgkit/result.hpp"

namespace wgkit {

/// A process, as /proc/PID/stat tells (proc(5)).
struct Process {
    pid_t pid = 0;
    pid_t parent = 0; ///< 0: outside of this PID namespace, or none
    std::string name; ///< as in /proc/PID/comm
    /// CLOCK_BOOTTIME, rounded down to a tick of the clock, 10 ms.
    std::chrono::nanoseconds began{};
};

/// Errors: not_found, system (not as expected).
Result<Process> read_process(pid_t pid);

} // namespace wgkit
