#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

namespace wgkit {

/// How a program ended.
struct ChildEnd {
    int status = 0;         ///< as a shell counts: 128 + signal if it was killed
    bool timed_out = false; ///< it was killed, with its process group
    std::string errors;     ///< what it wrote to standard error, at most 4 KiB
    SecretString output;    ///< what it wrote to standard output, if that was asked for
};

/// Runs a program that must end in time and has nothing to say to the user (for others:
/// `run_command`): it is found in PATH, in a process group of its own, and has `input` on its
/// standard input. Its output goes to /dev/null, or, at most `most_output` bytes of it, into the
/// result. Errors: not_found, permission, system: it did not start.
Result<ChildEnd> run_child(const std::vector<std::string>& command, std::string_view input,
                           std::chrono::milliseconds timeout, std::size_t most_output = 0);

} // namespace wgkit
