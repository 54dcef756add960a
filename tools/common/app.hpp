#pragma once

#include <functional>
#include <span>
#include <string>

#include "common/arguments.hpp"
#include "common/exit_code.hpp"
#include "common/report.hpp"

namespace wgkit::tool {

/// What a command does once its arguments are read; returns the exit status.
using Action = std::function<int(const Report&)>;

/// One row of a program's table of commands: dispatch, help, man and completions follow from it.
struct Command {
    const char* name; ///< empty: the program itself, without a subcommand
    const char* help;
    /// Adds the options to `arguments` and returns what to run with them.
    Action (*setup)(Arguments arguments);
};

/// A whole program: reads the command line, runs the chosen command, catches what escapes.
/// `--describe` prints the options as JSON, for completions and for the tests of the man pages.
int run(const std::string& program, const std::string& description,
        std::span<const Command> commands, int argc, char** argv);

} // namespace wgkit::tool
