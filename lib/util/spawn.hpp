#pragma once

#include <signal.h>
#include <spawn.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "util/unique_fd.hpp"
#include "wgkit/result.hpp"

/// What starting a program takes, for those who decide what it inherits and how long it may run.
namespace wgkit {

/// What happens to descriptors in the new process, in this order.
struct SpawnActions {
    posix_spawn_file_actions_t value{};
    SpawnActions() { posix_spawn_file_actions_init(&value); }
    ~SpawnActions() { posix_spawn_file_actions_destroy(&value); }
    SpawnActions(const SpawnActions&) = delete;
    SpawnActions& operator=(const SpawnActions&) = delete;
};

/// Signals as a program expects them: none is blocked because we block it, and SIGPIPE ends it.
struct SpawnAttributes {
    posix_spawnattr_t value{};
    /// `flags`: further ones of posix_spawnattr_setflags(3).
    explicit SpawnAttributes(short flags = 0) {
        posix_spawnattr_init(&value);
        sigset_t signals;
        sigemptyset(&signals);
        posix_spawnattr_setsigmask(&value, &signals);
        sigaddset(&signals, SIGPIPE);
        posix_spawnattr_setsigdefault(&value, &signals);
        posix_spawnattr_setflags(
            &value, static_cast<short>(flags | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    }
    ~SpawnAttributes() { posix_spawnattr_destroy(&value); }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;
};

/// A program's input as a file in memory: a pipe could block, or kill us once nobody reads.
Result<UniqueFd> spawn_input(std::string_view text);

/// Starts a program of PATH, or by its path; `words[0]` is its name. `environment` (NAME=value)
/// stands before ours. Errors: not_found, permission, system.
Result<pid_t> spawn(std::span<const std::string> words, const SpawnActions& actions,
                    const SpawnAttributes& attributes,
                    std::span<const std::string> environment = {});

/// Waits for its end. The status as a shell counts: 128 and the signal if it was killed; 127 if it
/// is nobody's to wait for.
int wait_for_exit(pid_t process);

} // namespace wgkit
