#include "support/wg_oracle.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>

#include "util/errno_error.hpp"

extern char** environ;

namespace wgkit::test {

namespace {

// All on a tmpfs that only this process and its children see.
constexpr const char* run_folder = "/var/run/wireguard";
constexpr const char* socket_path = "/var/run/wireguard/oracle0.sock";
constexpr const char* config_path = "/var/run/wireguard/oracle0.conf";
constexpr const char* output_path = "/var/run/wireguard/output";
constexpr const char* errors_path = "/var/run/wireguard/errors";
constexpr int patience_ms = 30000; // a busy machine takes seconds to start a program

std::string slurp(const char* path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

pid_t start(std::vector<std::string> command) {
    std::vector<char*> arguments;
    for (auto& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, output_path, flags, 0600);
    posix_spawn_file_actions_addopen(&files, 2, errors_path, flags, 0600);
    pid_t pid = -1;
    if (::posix_spawnp(&pid, arguments[0], &files, nullptr, arguments.data(), environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

bool enter_namespaces() {
    return ::unshare(CLONE_NEWNS | CLONE_NEWNET) == 0
           && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0
           && ::mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") == 0
           && (::mkdir(run_folder, 0700) == 0 || errno == EEXIST);
}

} // namespace

Result<WgOracle> WgOracle::open() {
    ::setenv("WG_ENDPOINT_RESOLUTION_RETRIES", "0", 1);
    if (!enter_namespaces()) return errno_error("cannot make namespaces");
    UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_path, sizeof address.sun_path - 1);
    if (!listener
        || ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0
        || ::listen(listener.get(), 8) != 0)
        return errno_error("cannot listen on the configuration socket");
    return WgOracle(std::move(listener));
}

WgOracle::~WgOracle() = default;

void WgOracle::write_file(std::string_view text) {
    std::ofstream file(config_path, std::ios::binary | std::ios::trunc);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
}

void WgOracle::answer(Verdict& verdict) {
    const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) return;
    std::string request;
    std::array<char, 65536> buffer{};
    while (!request.ends_with("\n\n")) {
        pollfd wait{client.get(), POLLIN, 0};
        if (::poll(&wait, 1, patience_ms) != 1) return;
        const ssize_t n = ::read(client.get(), buffer.data(), buffer.size());
        if (n <= 0) return; // wg's probe whether somebody listens: it asks nothing
        request.append(buffer.data(), static_cast<std::size_t>(n));
    }
    constexpr std::string_view ok = "errno=0\n\n"; // also the state of an empty device
    if (::send(client.get(), ok.data(), ok.size(), MSG_NOSIGNAL) < 0) return;
    if (request.starts_with("set=1\n")) verdict.request = std::move(request);
}

Verdict WgOracle::finish(std::vector<std::string> command, bool listen) {
    Verdict verdict;
    const pid_t pid = start(std::move(command));
    if (pid < 0) return verdict;
    const UniqueFd child(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    std::array<pollfd, 2> wait{
        {{child.get(), POLLIN, 0}, {listen ? listener_.get() : -1, POLLIN, 0}}};
    while (true) {
        if (::poll(wait.data(), wait.size(), patience_ms) <= 0) {
            ::kill(pid, SIGKILL);
            break;
        }
        if ((wait[1].revents & POLLIN) != 0)
            answer(verdict);
        else if (wait[0].revents != 0)
            break;
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    verdict.accepted = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return verdict;
}

Verdict WgOracle::run(const std::string& command, std::string_view text) {
    write_file(text);
    auto verdict = finish({"wg", command, "oracle0", config_path}, true);
    verdict.errors = slurp(errors_path);
    return verdict;
}

Verdict WgOracle::strip(std::string_view text) {
    write_file(text);
    ::chmod(config_path, 0600);
    auto verdict = finish({"wg-quick", "strip", config_path}, false);
    verdict.request = slurp(output_path);
    verdict.errors = slurp(errors_path);
    return verdict;
}

long WgOracle::version() {
    finish({"wg", "--version"}, false);
    const auto text = slurp(output_path);
    const auto dot = text.find("v1.0.");
    return dot == std::string::npos ? 0 : std::stol(text.substr(dot + 5));
}

} // namespace wgkit::test
