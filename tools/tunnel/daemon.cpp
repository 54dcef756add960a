#include "tunnel/daemon.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace wgkit::tool {

namespace {

// sched_setattr(2): the C library has neither the call nor the type.
struct SchedAttr {
    std::uint32_t size;
    std::uint32_t policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime; ///< of an ordinary process: the length of its turns in nanoseconds
    std::uint64_t deadline;
    std::uint64_t period;
};

Error failure(const char* what) {
    return {Errc::system, std::string(what) + ": " + std::strerror(errno), {}};
}

} // namespace

void protect_memory() {
    ::prctl(PR_SET_DUMPABLE, 0);
    // Without a limit, or later allocations would fail once CAP_IPC_LOCK is gone.
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0)
        ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

void ask_for_short_turns() {
    constexpr std::uint64_t turn_ns = 500'000;
    SchedAttr attributes{};
    attributes.size = sizeof attributes;
    if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0
        || attributes.policy != SCHED_OTHER)
        return; // somebody chose another policy for us
    attributes.runtime = turn_ns;
    (void)::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

Result<void> drop_capabilities() {
    // Ports below 1024, marks and large socket buffers.
    const std::array<cap_value_t, 2> kept = {CAP_NET_ADMIN, CAP_NET_BIND_SERVICE};
    const cap_t now = cap_get_proc();
    const cap_t wanted = cap_init();
    if (now == nullptr || wanted == nullptr) return failure("cannot read capabilities");
    for (const cap_value_t value : kept) {
        cap_flag_value_t has = CAP_CLEAR;
        cap_get_flag(now, value, CAP_PERMITTED, &has);
        if (has == CAP_CLEAR) continue;
        cap_set_flag(wanted, CAP_PERMITTED, 1, &value, CAP_SET);
        cap_set_flag(wanted, CAP_EFFECTIVE, 1, &value, CAP_SET);
    }
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    Result<void> dropped;
    if (cap_set_proc(wanted) != 0) dropped = failure("cannot drop capabilities");
    cap_free(now);
    cap_free(wanted);
    return dropped;
}

Result<void> go_to_background() {
    const pid_t child = ::fork();
    if (child < 0) return failure("cannot start a process");
    if (child > 0) ::_exit(EXIT_SUCCESS);
    ::setsid();
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
        ::close(null);
    }
    if (::chdir("/") != 0) return failure("cannot leave the folder");
    return {};
}

void DaemonLog::write(bool is_error, const std::string& text) const {
    if (to_syslog_)
        return ::syslog(is_error ? LOG_ERR : LOG_INFO, "%s: %s", interface_.c_str(), text.c_str());
    const std::string line = "wgkit-tunnel: " + interface_ + ": " + text + "\n";
    (void)!::write(STDERR_FILENO, line.data(), line.size()); // nobody may be reading
}

void DaemonLog::use_syslog() {
    ::openlog("wgkit-tunnel", LOG_PID, LOG_DAEMON);
    to_syslog_ = true;
}

} // namespace wgkit::tool
