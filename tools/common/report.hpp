#pragma once

#include <string>
#include <string_view>

#include "wgkit/diagnostic.hpp"
#include "wgkit/result.hpp"

namespace wgkit::tool {

/// The one output policy: stdout is data only; stderr gets `wgkit-mesh: error: ...`, lower case, no
/// full stop, and `hint:` lines. Colours only on a terminal and without NO_COLOR.
class Report {
  public:
    explicit Report(std::string program);

    void error(std::string_view message, std::string_view hint = {}) const;
    /// Prints the error and returns the exit status for it.
    int error(const Error& error) const;
    void warning(std::string_view message, std::string_view hint = {}) const;
    /// Progress and remarks.
    void note(std::string_view message) const;
    /// Findings about an input file, with the line they point at where `source` has it.
    void findings(const Diagnostics& diagnostics, std::string_view source = {}) const;
    /// The end of a check, whose findings have been told: prints how many there were, unless
    /// `quiet`, and returns the exit status. `strict`: warnings count as differences.
    int conclude(const Diagnostics& diagnostics, bool strict, bool quiet) const;

    const std::string& program() const { return program_; }

  private:
    void line(std::string_view kind, std::string_view colour, std::string_view message,
              std::string_view hint) const;

    std::string program_;
    bool colour_;
};

/// True if the descriptor is a terminal on which colours are wanted (NO_COLOR, TERM=dumb).
bool wants_colour(int fd);

} // namespace wgkit::tool
