#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// Changes that undo themselves unless somebody confirms them, so that whoever locks himself out
/// of a machine just has to wait. The order is: `arm`, then make the change; later `confirm`, or
/// nobody does, and the watcher undoes it.
///
/// What is pending lives in a folder of root's, /run/wgkit/confirm or $WGKIT_CONFIRM_DIR, and does
/// not outlast a reboot. Files that take effect at boot are replaced only by `confirm`: a machine
/// that restarts meanwhile comes up as it was.
namespace wgkit::confirm {

/// Since boot, with the time that the machine was suspended: CLOCK_BOOTTIME.
using BootTime = std::chrono::nanoseconds;
/// The clock's reading.
WGKIT_API BootTime now();

/// A file that gets its place once the change is confirmed.
struct BootFile {
    std::string path; ///< absolute; its folder is there
    SecretString content;
    mode_t mode = 0600;
};

/// What the undoing command reads; with mode 0600 at `data_path`.
struct DataFile {
    std::string name; ///< a file name
    SecretString content;
};

/// A change that is about to be made.
struct Change {
    /// Letters, digits or any of _=+.-@, at most 64, not beginning with a dot: `net-wg0`, `fw`.
    std::string name;
    std::string summary; ///< a line for people
    std::chrono::seconds timeout{60};
    /// The command that undoes it: a program's absolute path, then arguments, without secrets. It
    /// must succeed if there is nothing to undo, if half of it is done, and when run again.
    std::vector<std::string> undo;
    std::vector<DataFile> data;
    std::vector<BootFile> boot_files;
};

/// How far an armed change is.
enum class State {
    pending,    ///< waits for confirmation
    confirmed,  ///< confirmed, but a file is not yet in its place
    undoing,    ///< its time is over
    undo_failed ///< the undoing command failed
};
/// The word for people and JSON.
WGKIT_API std::string_view to_string(State state);

/// A change that was armed.
struct Pending {
    std::string name;
    std::string summary;
    State state = State::pending;
    BootTime armed{};
    BootTime deadline{};
    std::vector<std::string> undo;
    std::vector<std::string> boot_files; ///< their paths
    std::string problem;                 ///< why undoing failed, else empty
    bool is_watched = false;             ///< a watcher is alive
};

/// Where a DataFile of a change is.
WGKIT_API std::string data_path(const std::string& change, const std::string& file);

/// Records the change, durably, and starts its watcher: a transient systemd unit
/// wgkit-rollback-NAME where systemd runs this machine and we are in its namespaces, else a process
/// in a session of its own, which outlives ours. When it returns, the watcher watches: now make the
/// change. If it returns an Error, nothing is left of it.
/// Errors: conflict (a change of that name is pending), invalid, permission, system.
WGKIT_API Result<Pending> arm(const Change& change);

/// Forgets a change that was armed, but then not made.
WGKIT_API Result<void> disarm(const std::string& name);

/// Keeps the change: its boot files get their places, all of them or none; the watcher ends.
/// Only for somebody who has come in since the change, over ssh or at a console: that proves that
/// the machine can still be reached. Errors: not_found, conflict (nobody new; too late; a boot file
/// was changed by somebody else meanwhile), permission, system (a boot file: still pending).
WGKIT_API Result<Pending> confirm(const std::string& name);

/// As `confirm`, but what undoes the change is kept in `way_back`, a folder of the caller's: for a
/// change that stays only if others do. It survives a reboot if the folder does.
WGKIT_API Result<Pending> confirm(const std::string& name, const std::string& way_back);
/// Whether a change that was confirmed so can still be undone.
WGKIT_API bool has_way_back(const std::string& way_back);
/// Undoes a change that was confirmed so, its boot files first looked at, then put back; the way
/// back is gone then. May be repeated. Errors: not_found (there is none), conflict (a boot file was
/// changed since by somebody else), permission, system.
WGKIT_API Result<void> take_back(const std::string& way_back);
/// The change stays for good.
WGKIT_API Result<void> drop_way_back(const std::string& way_back);

/// Has the watcher undo the change now, whatever becomes of this process, and waits for it. Starts
/// a watcher if there is none. Errors: not_found, conflict, system (undoing failed, and why).
WGKIT_API Result<Pending> undo(const std::string& name);

/// A change that was armed and is neither forgotten, confirmed nor undone.
WGKIT_API Result<std::optional<Pending>> find(const std::string& name);
/// All of them, by name.
WGKIT_API Result<std::vector<Pending>> list();

/// How bad a watcher's message is.
enum class Severity { info, warning, error };
/// What a watcher has to tell.
using Log = std::function<void(Severity, const std::string&)>;

/// The watcher: waits until the change is gone, or its deadline has come; then undoes it, and tries
/// again if that fails. Errors: not_found, conflict (another one watches), system.
WGKIT_API Result<void> watch(const std::string& name, const Log& log);

} // namespace wgkit::confirm
