#pragma once

namespace wgkit::tool {

/// Exit statuses of every program but wgkit-monitor, as in each man page.
enum ExitCode : int {
    exit_ok = 0,          ///< done, or nothing differs
    exit_failed = 1,      ///< bad input or a system failure
    exit_differences = 2, ///< findings, differences or changes pending
    exit_usage = 64,      ///< the command line is wrong
};

} // namespace wgkit::tool
