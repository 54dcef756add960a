#include "device/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/spawn.hpp"
#include "util/unique_fd.hpp"

namespace wgkit {

namespace {

std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> part{};
    for (;;) {
        const auto count = ::read(fd, part.data(), part.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return text;
        text.append(part.data(), static_cast<std::size_t>(count));
    }
}

} // namespace

bool has_program(const std::string& name) {
    if (name.find('/') != name.npos) return ::access(name.c_str(), X_OK) == 0;
    const char* path = std::getenv("PATH");
    if (path == nullptr) return false;
    for (const auto folder : ascii::split(path, ':'))
        if (::access(fmt::format("{}/{}", folder, name).c_str(), X_OK) == 0) return true;
    return false;
}

Result<CommandResult> run_command(const std::vector<std::string>& words,
                                  const CommandOptions& options) {
    auto input = spawn_input(options.input);
    if (!input) return input.error();
    std::array<int, 2> pipe{-1, -1};
    if (options.keeps_output && ::pipe2(pipe.data(), O_CLOEXEC) != 0)
        return errno_error("cannot make a pipe");
    UniqueFd from(pipe[0]);
    UniqueFd to(pipe[1]);
    const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));

    SpawnActions files;
    if (!options.inherits_input)
        posix_spawn_file_actions_adddup2(&files.value, input->get(), STDIN_FILENO);
    // Our standard output is for data: what a program says there goes to standard error.
    posix_spawn_file_actions_adddup2(&files.value, options.keeps_output ? to.get() : STDERR_FILENO,
                                     STDOUT_FILENO);
    if (options.silent)
        posix_spawn_file_actions_adddup2(&files.value, nowhere.get(), STDERR_FILENO);
    if (options.file >= 0) posix_spawn_file_actions_adddup2(&files.value, options.file, 3);

    const SpawnAttributes attributes;
    const auto child = spawn(words, files, attributes, options.environment);
    if (!child) return child.error();
    to = UniqueFd();
    CommandResult result;
    if (options.keeps_output) result.output = read_all(from.get());
    result.status = wait_for_exit(*child);
    return result;
}

Result<void> do_command(const std::vector<std::string>& words, const CommandOptions& options) {
    const auto ran = run_command(words, options);
    if (!ran) return ran.error();
    if (ran->status == 0) return {};
    return Error{Errc::system, fmt::format("{} failed with status {}", words[0], ran->status), {}};
}

} // namespace wgkit
