// wgkit X ... runs the program wgkit-X: beside itself, then in libexec, then in PATH (as git does).
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "util/own_program.hpp"
#include "wgkit/version.hpp"
#include "wgkit_tools.hpp"

namespace {

void print_help() {
    std::printf("Operations toolkit for WireGuard fleets\n"
                "Usage: wgkit COMMAND [ARGUMENTS]\n\n"
                "Commands:\n");
    for (const auto& tool : wgkit_tools)
        std::printf("  %-10s %s\n", std::string(tool.name).c_str(), std::string(tool.help).c_str());
    std::printf("\n`wgkit COMMAND --help` and `man wgkit-COMMAND` tell more.\n");
}

/// A command name becomes part of a path: letters, digits and hyphens only.
bool is_command_name(std::string_view name) {
    return !name.empty() && name.front() != '-'
           && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == name.npos;
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view command = argc > 1 ? argv[1] : "";
    if (command == "--version" || command == "-V") {
        std::printf("wgkit %s\n", std::string(wgkit::version).c_str());
        return 0;
    }
    if (command == "--help" || command == "-h" || command == "help") {
        print_help();
        return 0;
    }
    if (command.empty()) {
        print_help();
        return 64;
    }
    if (is_command_name(command)) {
        const std::string program = "wgkit-" + std::string(command);
        argv[1] = argv[0];
        for (const auto& path : wgkit::places_of(program)) {
            ::execvp(path.c_str(), argv + 1);
            if (errno != ENOENT && errno != ENOTDIR) {
                std::fprintf(stderr, "wgkit: error: cannot run %s: %s\n", path.c_str(),
                             std::strerror(errno));
                return 1;
            }
        }
    }
    std::fprintf(stderr, "wgkit: error: there is no command '%s'\nhint: wgkit --help lists them\n",
                 std::string(command).c_str());
    return 64;
}
