#include "util/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"
#include "util/write_file.hpp"

namespace wgkit {

namespace {

constexpr std::size_t most_errors = 4096;

struct FileActions {
    posix_spawn_file_actions_t value;
    FileActions() { posix_spawn_file_actions_init(&value); }
    ~FileActions() { posix_spawn_file_actions_destroy(&value); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;
};

struct Attributes {
    posix_spawnattr_t value;
    Attributes() {
        posix_spawnattr_init(&value);
        posix_spawnattr_setflags(&value, POSIX_SPAWN_SETPGROUP); // to end what it starts, too
    }
    ~Attributes() { posix_spawnattr_destroy(&value); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
};

/// The input as a file: a pipe could block, or kill us once nobody reads.
Result<UniqueFd> as_file(std::string_view input) {
    UniqueFd file(::memfd_create("input", MFD_CLOEXEC));
    if (!file) return errno_error("cannot make a file in memory");
    auto written = files::write_all(file.get(), input, "a file in memory");
    if (!written) return std::move(written).error();
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

/// Reads what is there; false at the end.
bool take_errors(int fd, std::string& errors) {
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n <= 0) return n < 0 && (errno == EINTR || errno == EAGAIN);
    errors.append(buffer.data(), std::min(static_cast<std::size_t>(n),
                                          most_errors - std::min(most_errors, errors.size())));
    return true;
}

} // namespace

Result<ChildEnd> run_child(const std::vector<std::string>& command, std::string_view input,
                           std::chrono::milliseconds timeout) {
    auto in = as_file(input);
    if (!in) return std::move(in).error();
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return errno_error("cannot make a pipe");
    const UniqueFd errors_in(ends[0]);
    UniqueFd errors_out(ends[1]);
    FileActions actions;
    posix_spawn_file_actions_adddup2(&actions.value, in->get(), STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions.value, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions.value, errors_out.get(), STDERR_FILENO);
    const Attributes attributes;
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t pid = 0;
    const int spawned = ::posix_spawnp(&pid, arguments.front(), &actions.value, &attributes.value,
                                       arguments.data(), environ);
    if (spawned != 0) return errno_error(fmt::format("cannot run {}", command.front()), spawned);
    errors_out = UniqueFd();

    ChildEnd end;
    // By number: glibc 2.36 declares pidfd_open() for C only.
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    bool has_errors = true;
    while (process) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        std::array<pollfd, 2> wait{pollfd{process.get(), POLLIN, 0},
                                   pollfd{has_errors ? errors_in.get() : -1, POLLIN, 0}};
        const int ready =
            ::poll(wait.data(), wait.size(), static_cast<int>(std::max<long>(0, left.count())));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) {
            end.timed_out = true;
            ::kill(-pid, SIGKILL);
            break;
        }
        if (wait[1].revents != 0) has_errors = take_errors(errors_in.get(), end.errors);
        if (wait[0].revents != 0) break;
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    while (has_errors && end.errors.size() < most_errors) {
        const auto before = end.errors.size();
        if (!take_errors(errors_in.get(), end.errors) || end.errors.size() == before) break;
    }
    end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return end;
}

} // namespace wgkit
