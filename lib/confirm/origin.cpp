// Who is it that confirms a change: somebody that could reach the machine after it?
#include "confirm/origin.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace wgkit::confirm {

namespace {

constexpr std::size_t most_ancestors = 256;

/// The server's process of a connection: "sshd-session" since OpenSSH 9.8.
bool serves_ssh(const Process& process) {
    return process.name == "sshd" || process.name == "sshd-session" || process.name == "dropbear";
}

std::string seconds(BootTime time) {
    return fmt::format("{:.1f} seconds", std::chrono::duration<double>(time).count());
}

Result<void> check_arrival(const std::string& what, BootTime began, BootTime armed, BootTime now,
                           const std::string& hint) {
    if (began > armed) return {};
    return Error{Errc::conflict,
                 fmt::format("{} began {} ago, before the change, which was {} ago: it does not "
                             "show that you could come back",
                             what, seconds(now - began), seconds(now - armed)),
                 hint};
}

} // namespace

Result<std::vector<Process>> read_ancestors() {
    std::vector<Process> chain;
    for (pid_t pid = ::getpid(); pid > 1 && chain.size() < most_ancestors;) {
        auto process = read_process(pid);
        if (!process) return process.error();
        pid = process->parent;
        chain.push_back(*std::move(process));
    }
    return chain;
}

Result<void> check_origin(std::span<const Process> chain, BootTime armed, BootTime now) {
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const Process& process = chain[i];
        if (serves_ssh(process))
            return check_arrival(fmt::format("this ssh connection (process {})", process.pid),
                                 process.began, armed, now,
                                 "open a new one; a shared one (ControlMaster) is not new: "
                                 "ssh -o ControlPath=none");
        // A login(1) waits at its console from the boot on: what counts is what it has started.
        if (process.name == "login" && i > 0)
            return check_arrival(
                fmt::format("this login at a console (process {})", chain[i - 1].pid),
                chain[i - 1].began, armed, now, "log in again");
    }
    if (!chain.empty() && chain.back().parent == 0)
        return check_arrival(fmt::format("this session from outside of the container (process {})",
                                         chain.back().pid),
                             chain.back().began, armed, now, "begin a new one");
    return Error{Errc::conflict,
                 "cannot tell whether this session began after the change: it comes from neither "
                 "ssh nor a login at a console",
                 "confirm from a new ssh connection or console login, not from within tmux, "
                 "screen, cron or a background job"};
}

} // namespace wgkit::confirm
