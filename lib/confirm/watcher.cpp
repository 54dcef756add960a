// A watcher is started: by systemd, or as a process that nothing ties to ours.
#include "confirm/watcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <thread>

#include "util/ascii.hpp"
#include "util/child.hpp"
#include "util/namespace.hpp"
#include "util/own_program.hpp"
#include "util/spawn.hpp"

namespace wgkit::confirm {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_start = 20s; ///< a machine may be busy
constexpr int first_inherited = 3;

/// Whether systemd runs this machine, and what it starts would see the network and files we see.
bool can_ask_systemd() {
    if (::access("/run/systemd/system", F_OK) != 0) return false;
    for (const char* kind : {"net", "mnt", "pid"}) {
        const auto own = namespace_of(kind);
        if (own == 0 || own != namespace_of(kind, "1")) return false;
    }
    return true;
}

/// The characters of unit names; others as systemd-escape(1) writes them.
std::string unit_name(const std::string& change) {
    std::string name = "wgkit-rollback-";
    for (const char c : change)
        if (ascii::is_alnum(c) || c == '_' || c == '.')
            name += c;
        else
            name += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    return name;
}

bool wait_until_watched(const Place& place) {
    const auto end = now() + longest_start;
    while (!place.is_watched()) {
        if (now() > end) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

bool ask_systemd(const Place& place, const std::string& program) {
    std::vector<std::string> words{
        "systemd-run", "--quiet", "--collect", "--unit=" + unit_name(place.name()),
        fmt::format("--description=Undoes {} unless it is confirmed", place.name()),
        // Killed, it starts again and goes on; what it waits for is on record.
        "--property=Restart=on-abnormal", "--property=RestartSec=1"};
    for (const char* variable : {"WGKIT_CONFIRM_DIR", "PATH"})
        if (const char* value = std::getenv(variable))
            words.push_back(fmt::format("--setenv={}={}", variable, value));
    words.insert(words.end(), {"--", program, place.name()});
    const auto ran = run_child(words, {}, longest_start);
    return ran && ran->status == 0 && wait_until_watched(place);
}

/// A session of its own: no terminal's end, and no end of ours, ends it. Nothing is inherited that
/// would keep a pipe open, for which an ssh connection would wait.
Result<void> start_detached(const Place& place, const std::string& program) {
    SpawnActions actions;
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        posix_spawn_file_actions_addopen(&actions.value, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions.value, first_inherited);
    posix_spawn_file_actions_addchdir_np(&actions.value, "/");
    SpawnAttributes attributes(POSIX_SPAWN_SETSID);
    sigset_t signals;
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes.value, &signals);
    const std::array words{program, place.name()};
    const auto pid = spawn(words, actions, attributes);
    if (!pid) return pid.error();
    if (wait_until_watched(place)) return {};
    ::kill(*pid, SIGKILL);
    return Error{Errc::system, fmt::format("{} did not start to watch", program), {}};
}

} // namespace

Result<void> start_watcher(const Place& place) {
    const std::string program = own_program("wgkit-rollback");
    if (can_ask_systemd() && ask_systemd(place, program)) return {};
    return start_detached(place, program);
}

} // namespace wgkit::confirm
