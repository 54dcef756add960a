#include "util/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "util/errno_error.hpp"
#include "util/spawn.hpp"
#include "util/unique_fd.hpp"

namespace wgkit {

namespace {

constexpr std::size_t most_errors = 4096;

enum class Read { some, nothing, end };

/// Reads what is there, and keeps as much of it as fits.
template <class Text>
Read take(int fd, Text& text, std::size_t most) {
    std::array<char, 16384> buffer{};
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n <= 0) return n < 0 && (errno == EINTR || errno == EAGAIN) ? Read::nothing : Read::end;
    text.append(buffer.data(),
                std::min(static_cast<std::size_t>(n), most - std::min(most, text.size())));
    wipe(buffer.data(), buffer.size());
    return Read::some;
}

/// Both ends of a pipe; what is read from it does not block.
struct Pipe {
    UniqueFd in;
    UniqueFd out;

    Result<void> open() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
        in = UniqueFd(ends[0]);
        out = UniqueFd(ends[1]);
        ::fcntl(in.get(), F_SETFL, O_NONBLOCK);
        return {};
    }
};

} // namespace

Result<ChildEnd> run_child(const std::vector<std::string>& command, std::string_view input,
                           std::chrono::milliseconds timeout, std::size_t most_output) {
    auto in = spawn_input(input);
    if (!in) return std::move(in).error();
    Pipe errors;
    Pipe output;
    if (auto made = errors.open(); !made) return std::move(made).error();
    if (most_output != 0)
        if (auto made = output.open(); !made) return std::move(made).error();
    SpawnActions actions;
    posix_spawn_file_actions_adddup2(&actions.value, in->get(), STDIN_FILENO);
    if (output.out)
        posix_spawn_file_actions_adddup2(&actions.value, output.out.get(), STDOUT_FILENO);
    else
        posix_spawn_file_actions_addopen(&actions.value, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions.value, errors.out.get(), STDERR_FILENO);
    // A group of its own, to end what it starts, too.
    const SpawnAttributes attributes(POSIX_SPAWN_SETPGROUP);
    const auto spawned = spawn(command, actions, attributes);
    if (!spawned) return spawned.error();
    const pid_t pid = *spawned;
    errors.out = UniqueFd();
    output.out = UniqueFd();

    ChildEnd end;
    // By number: glibc 2.36 declares pidfd_open() for C only.
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const auto take_some = [&](Pipe& pipe) {
        const Read got = &pipe == &errors ? take(pipe.in.get(), end.errors, most_errors)
                                          : take(pipe.in.get(), end.output, most_output);
        if (got == Read::end) pipe.in = UniqueFd();
        return got == Read::some;
    };
    while (process) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        std::array<pollfd, 3> wait{pollfd{process.get(), POLLIN, 0},
                                   pollfd{errors.in.get(), POLLIN, 0},
                                   pollfd{output.in.get(), POLLIN, 0}};
        const int ready =
            ::poll(wait.data(), wait.size(), static_cast<int>(std::max<long>(0, left.count())));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) {
            end.timed_out = true;
            ::kill(-pid, SIGKILL);
            break;
        }
        if (wait[1].revents != 0) take_some(errors);
        if (wait[2].revents != 0) take_some(output);
        if (wait[0].revents != 0) break;
    }
    end.status = wait_for_exit(pid);
    // What it has left; what it started may keep a pipe open for as long as it likes.
    for (Pipe* pipe : {&errors, &output})
        while (pipe->in && take_some(*pipe)) {
        }
    return end;
}

} // namespace wgkit
