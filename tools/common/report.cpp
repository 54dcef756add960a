#include "common/report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "common/exit_code.hpp"

namespace wgkit::tool {

bool wants_colour(int fd) {
    const char* no_colour = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    return ::isatty(fd) == 1 && (no_colour == nullptr || *no_colour == '\0')
           && (term == nullptr || std::string_view(term) != "dumb");
}

Report::Report(std::string program) : program_(std::move(program)), colour_(wants_colour(2)) {}

void Report::line(std::string_view kind, std::string_view colour, std::string_view message,
                  std::string_view hint) const {
    std::string text =
        colour_ ? fmt::format("{}: \033[{}m{}:\033[0m {}\n", program_, colour, kind, message)
                : fmt::format("{}: {}: {}\n", program_, kind, message);
    if (!hint.empty()) text += fmt::format("hint: {}\n", hint);
    std::fputs(text.c_str(), stderr);
}

void Report::error(std::string_view message, std::string_view hint) const {
    line("error", "1;31", message, hint);
}

int Report::error(const Error& error) const {
    this->error(error.message, error.hint);
    return exit_failed;
}

void Report::warning(std::string_view message, std::string_view hint) const {
    line("warning", "1;33", message, hint);
}

void Report::note(std::string_view message) const {
    std::fputs(fmt::format("{}: {}\n", program_, message).c_str(), stderr);
}

void Report::findings(const Diagnostics& diagnostics, std::string_view source) const {
    for (const auto& diagnostic : diagnostics.all()) {
        const bool shown = diagnostic.file == diagnostics.file(); // the lock has findings, too
        std::fputs((to_text(diagnostic, shown ? source : std::string_view()) + "\n").c_str(),
                   stderr);
    }
}

int Report::conclude(const Diagnostics& diagnostics, bool strict, bool quiet) const {
    const auto errors = diagnostics.errors();
    const auto warnings = diagnostics.all().size() - errors;
    if (!quiet && !diagnostics.empty())
        note(fmt::format("{} error{}, {} warning{}", errors, errors == 1 ? "" : "s", warnings,
                         warnings == 1 ? "" : "s"));
    if (errors != 0) return exit_failed;
    return strict && warnings != 0 ? exit_differences : exit_ok;
}

} // namespace wgkit::tool
