#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "agent/commands.hpp"
#include "common/http_library.hpp"
#include "wgkit/agent.hpp"

namespace wgkit::tool::agent {

namespace {

struct RunOptions {
    std::string folder = wgkit::agent::default_folder;
    bool quiet = false;
};

/// Readable once SIGINT or SIGTERM has come.
int catch_end() {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
    return ::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
}

/// sd_notify(3), which is one datagram.
void notify_ready() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (path == nullptr) return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t size = std::strlen(path);
    if (size == 0 || size >= sizeof address.sun_path) return;
    std::memcpy(address.sun_path, path, size);
    if (path[0] == '@') address.sun_path[0] = '\0';
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    constexpr std::string_view ready = "READY=1";
    (void)::sendto(fd, ready.data(), ready.size(), MSG_NOSIGNAL,
                   reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size));
    ::close(fd);
}

int run_forever(const RunOptions& options, const Report& report) {
    ::prctl(PR_SET_DUMPABLE, 0); // keys in no core file
    wgkit::agent::AgentOptions agent;
    agent.folder = options.folder;
    agent.stop = catch_end();
    if (agent.stop < 0) return report.error({Errc::system, "cannot wait for signals", {}});
    agent.tell = [&](bool is_trouble, const std::string& text) {
        if (is_trouble)
            report.warning(text);
        else if (!options.quiet)
            report.note(text);
    };
    agent.ready = notify_ready;
    auto requests = load_http_poster();
    if (!requests) return report.error(requests.error());
    auto watch = load_http_poster();
    if (!watch) return report.error(watch.error());
    const auto ended = wgkit::agent::run_agent(**requests, **watch, agent);
    ::close(agent.stop);
    return ended ? static_cast<int>(exit_ok) : report.error(ended.error());
}

} // namespace

Action setup_run(Arguments arguments) {
    auto options = std::make_shared<RunOptions>();
    arguments.add_option("--dir", options->folder, "Where keys and the last state are kept")
        .type_name("DIR")
        .shows_default();
    arguments.add_flag("-q,--quiet", options->quiet, "Say only what is wrong");
    return [options](const Report& report) { return run_forever(*options, report); };
}

} // namespace wgkit::tool::agent
