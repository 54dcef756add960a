#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wgkit/result.hpp"

namespace wgkit {

/// Whether PATH has such a program.
bool has_program(const std::string& name);

struct CommandResult {
    int status = 0; ///< the exit status; 128 and the signal for one that was killed
    std::string output;
};

/// What a program reads and where its output goes.
struct CommandOptions {
    std::string_view input{};               ///< on its standard input
    bool inherits_input = false;            ///< its standard input is ours instead
    bool keeps_output = false;              ///< standard output is returned instead of shown
    bool silent = false;                    ///< standard error is not shown
    int file = -1;                          ///< handed on under number 3
    std::vector<std::string> environment{}; ///< NAME=value, beside ours
};

/// Runs a program of PATH, or by its path, to its end, as a shell does in the foreground: it says
/// what it has to say, and Ctrl-C is for it, too. With a time limit: `run_child`. `words[0]` is its
/// name. Errors: not_found (no such program), system.
Result<CommandResult> run_command(const std::vector<std::string>& words,
                                  const CommandOptions& options = {});

/// As `run_command`; a status other than 0 is an Error that names the program.
Result<void> do_command(const std::vector<std::string>& words, const CommandOptions& options = {});

} // namespace wgkit
