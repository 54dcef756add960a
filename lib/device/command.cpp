#include "device/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"
#include "util/write_file.hpp"

namespace wgkit {

namespace {

/// The input as a file in memory: a program that does not read it cannot block us.
Result<UniqueFd> input_of(const CommandOptions& options) {
    UniqueFd fd(options.input.empty() ? ::open("/dev/null", O_RDONLY | O_CLOEXEC)
                                      : ::memfd_create("input", MFD_CLOEXEC));
    if (!fd) return errno_error("cannot prepare a program's input");
    if (!options.input.empty()) {
        if (auto written = files::write_all(fd.get(), options.input, "a program's input"); !written)
            return written.error();
        ::lseek(fd.get(), 0, SEEK_SET);
    }
    return fd;
}

struct FileActions {
    FileActions() { posix_spawn_file_actions_init(&actions); }
    ~FileActions() { posix_spawn_file_actions_destroy(&actions); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;
    posix_spawn_file_actions_t actions{};
};

/// Signals as a program expects them: nothing blocked, nothing ignored that we ignore.
struct Attributes {
    Attributes() {
        posix_spawnattr_init(&value);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&value, &none);
        posix_spawnattr_setflags(&value, POSIX_SPAWN_SETSIGMASK);
    }
    ~Attributes() { posix_spawnattr_destroy(&value); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    posix_spawnattr_t value{};
};

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

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
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
    auto input = input_of(options);
    if (!input) return input.error();
    std::array<int, 2> pipe{-1, -1};
    if (options.keeps_output && ::pipe2(pipe.data(), O_CLOEXEC) != 0)
        return errno_error("cannot make a pipe");
    UniqueFd from(pipe[0]);
    UniqueFd to(pipe[1]);
    const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));

    FileActions files;
    if (!options.inherits_input)
        posix_spawn_file_actions_adddup2(&files.actions, input->get(), STDIN_FILENO);
    // Our standard output is for data: what a program says there goes to standard error.
    posix_spawn_file_actions_adddup2(
        &files.actions, options.keeps_output ? to.get() : STDERR_FILENO, STDOUT_FILENO);
    if (options.silent)
        posix_spawn_file_actions_adddup2(&files.actions, nowhere.get(), STDERR_FILENO);
    if (options.file >= 0) posix_spawn_file_actions_adddup2(&files.actions, options.file, 3);

    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::vector<char*> environment;
    for (const auto& one : options.environment)
        environment.push_back(const_cast<char*>(one.c_str()));
    for (char** one = environ; *one != nullptr; ++one) environment.push_back(*one);
    environment.push_back(nullptr);

    const Attributes attributes;
    pid_t child = 0;
    const int failure = ::posix_spawnp(&child, arguments[0], &files.actions, &attributes.value,
                                       arguments.data(), environment.data());
    if (failure != 0) return errno_error(fmt::format("cannot run {}", words[0]), failure);
    to = UniqueFd();
    CommandResult result;
    if (options.keeps_output) result.output = read_all(from.get());
    result.status = wait_for(child);
    return result;
}

Result<void> do_command(const std::vector<std::string>& words, const CommandOptions& options) {
    const auto ran = run_command(words, options);
    if (!ran) return ran.error();
    if (ran->status == 0) return {};
    return Error{Errc::system, fmt::format("{} failed with status {}", words[0], ran->status), {}};
}

} // namespace wgkit
