#include "common/app.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <regex>
#include <string_view>
#include <vector>

#include "common/describe.hpp"
#include "wgkit/version.hpp"

namespace wgkit::tool {

namespace {

/// Messages quote the command line, where a key may have been put by mistake: what looks like one
/// is not repeated (logs keep what is printed).
std::string without_keys(const std::string& text) {
    static const std::regex key("[A-Za-z0-9+/]{40,48}=*");
    return std::regex_replace(text, key, "(hidden)");
}

/// The message of a ParseError in our style.
std::string usage_message(const CLI::ParseError& wrong) {
    std::string text = without_keys(wrong.what());
    if (text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
    return text;
}

/// Whether the first word stands where a command must, and is none.
bool is_unknown_command(const CLI::App& app, std::string_view word) {
    if (word.empty() || word.front() == '-') return false;
    for (const CLI::App* known : app.get_subcommands([](const CLI::App*) { return true; }))
        if (known->check_name(std::string(word))) return false;
    return true;
}

/// stdout may be a full disk or a closed pipe: what did not arrive must not look like success.
int flush(const Report& report, int status) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
    report.error("cannot write to standard output");
    return status == exit_ok ? static_cast<int>(exit_failed) : status;
}

int parse_and_run(const Report& report, CLI::App& app, std::span<const Command> commands, int argc,
                  char** argv) {
    app.set_version_flag("-V,--version",
                         fmt::format("{} {}", report.program(), std::string(version)),
                         "Print the version and exit");

    // A command that is named first is the only one to set up: quicker, and arguments that are
    // named as another command stay arguments.
    const std::string_view first = argc > 1 ? argv[1] : "";
    const bool is_named =
        std::any_of(commands.begin(), commands.end(), [&](const Command& command) {
            return *command.name != '\0' && command.name == first;
        });
    std::vector<std::pair<CLI::App*, Action>> actions;
    for (const auto& command : commands) {
        const bool whole = *command.name == '\0';
        if (is_named && !whole && command.name != first) continue;
        CLI::App* target = whole ? &app : app.add_subcommand(command.name, command.help);
        actions.emplace_back(target, command.setup(Arguments(*target)));
    }
    const bool can_run_alone = *commands.front().name == '\0';
    // Not an option: it must work where others are required.
    if (argc == 2 && std::string_view(argv[1]) == "--describe") {
        std::fputs(describe_json(app).c_str(), stdout);
        return exit_ok;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::fputs(app.help().c_str(), stdout); // of the command, if one was named
        return exit_ok;
    } catch (const CLI::CallForVersion& wanted) {
        fmt::print("{}\n", wanted.what());
        return exit_ok;
    } catch (const CLI::ParseError& wrong) {
        if (!can_run_alone && is_unknown_command(app, first)) {
            report.error(fmt::format("there is no command '{}'", without_keys(std::string(first))),
                         fmt::format("{} --help lists them", report.program()));
            return exit_usage;
        }
        report.error(usage_message(wrong),
                     fmt::format("{} --help shows the options", report.program()));
        return exit_usage;
    }
    for (const auto& [target, action] : actions)
        if (target != &app && target->parsed()) return action(report);
    if (can_run_alone) return actions.front().second(report);
    report.error("no command given", fmt::format("{} --help lists the commands", report.program()));
    return exit_usage;
}

} // namespace

int run(const std::string& program, const std::string& description,
        std::span<const Command> commands, int argc, char** argv) {
    const Report report(program);
    try {
        CLI::App app(description, program);
        app.set_help_flag("-h,--help", "Print this help and exit");
        return flush(report, parse_and_run(report, app, commands, argc, argv));
    } catch (const std::exception& bug) {
        report.error(fmt::format("unexpected failure: {}", bug.what()),
                     "this is a bug in wgkit; please report it");
        return exit_failed;
    }
}

} // namespace wgkit::tool
