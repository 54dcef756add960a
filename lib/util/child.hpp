#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/result.hpp"

namespace wgkit {

/// How a program ended.
struct ChildEnd {
    int status = 0;         ///< as a shell counts: 128 + signal if it was killed
    bool timed_out = false; ///< it was killed, with its process group
    std::string errors;     ///< what it wrote to standard error, at most 4 KiB
};

/// Runs a program, found in PATH, with `input` on its standard input and /dev/null as its output.
/// Errors: not_found, permission, system: it did not start.
Result<ChildEnd> run_child(const std::vector<std::string>& command, std::string_view input,
                           std::chrono::milliseconds timeout);

} // namespace wgkit
