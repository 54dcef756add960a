// A change of this node is kept, or taken back: before it is confirmed, and after it, as long as
// other nodes may fail to confirm theirs.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "fleet/node.hpp"
#include "util/ascii.hpp"
#include "util/child.hpp"
#include "util/errno_error.hpp"
#include "util/namespace.hpp"
#include "wgkit/confirm.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::fleet {

using wgkit::fleet::NodeAnswer;
using wgkit::fleet::NodeRequest;

namespace {

constexpr auto systemctl_patience = std::chrono::seconds(60);

/// Survives a reboot: what was confirmed does, too.
constexpr const char* back_folder = "/var/lib/wgkit/fleet/back";
/// Files as they were before their interfaces were brought up; empty: there was none.
constexpr const char* new_folder = "/var/lib/wgkit/fleet/new";

/// As `wgkit fw` calls it, whatever its interfaces.
constexpr const char* fw_change = "fw";

std::string way_back(const std::string& change) {
    return fmt::format("{}/{}", back_folder, change);
}
std::string new_mark(const std::string& interface) {
    return fmt::format("{}/{}.conf", new_folder, interface);
}
std::string old_settings(const std::string& interface) {
    return fmt::format("{}/{}.sysctl", new_folder, interface);
}
bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

/// As `wgkit net` calls it.
std::string net_change(const std::string& interface) {
    return "net-" + name_across_namespaces(interface);
}

/// All changes of an interface, in the order in which they are made.
std::vector<std::string> changes_of(const std::string& interface) {
    return {host_change(interface), net_change(interface)};
}

Result<void> drop_one(const std::string& change) {
    return confirm::drop_way_back(way_back(change));
}

Result<void> confirm_one(const std::string& change) {
    const auto pending = confirm::find(change);
    if (!pending) return pending.error();
    if (!*pending) return {}; // nothing had to be changed, or it is confirmed already
    if (auto made = files::make_folders(back_folder, 0700); !made) return made;
    const auto done = confirm::confirm(change, way_back(change));
    return done ? Result<void>() : done.error();
}

Result<void> undo_one(const std::string& change) {
    const auto pending = confirm::find(change);
    if (!pending) return pending.error();
    if (*pending && (*pending)->state != confirm::State::confirmed) {
        const auto undone = confirm::undo(change);
        if (!undone && undone.error().code != Errc::not_found) return undone.error();
        return drop_one(change);
    }
    if (!confirm::has_way_back(way_back(change))) return {};
    return confirm::take_back(way_back(change));
}

Result<void> undo_new(const std::string& interface) {
    const auto before = files::read(new_mark(interface));
    if (!before) return before.error();
    // Gone is gone: a run that was killed here may have taken it down already.
    (void)run_net({"down", interface});
    const auto path = file_path(interface);
    if (!before->empty()) {
        if (auto put = files::replace(path, *before, 0600); !put) return put;
    } else if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return errno_error(path);
    }
    const auto settings = files::read(old_settings(interface));
    wgkit::fleet::WantedFile was;
    was.interface = interface;
    if (settings) was.settings = std::string(settings->begin(), settings->end());
    if (auto put = put_settings(was); !put) return put;
    ::unlink(old_settings(interface).c_str());
    return ::unlink(new_mark(interface).c_str()) == 0 ? Result<void>()
                                                      : errno_error(new_mark(interface));
}

/// "enabled", "disabled", ...; empty if there is no such unit.
std::string boot_state(const std::string& unit) {
    constexpr std::size_t longest_state = 64;
    const auto ran =
        run_child({"systemctl", "is-enabled", unit}, {}, systemctl_patience, longest_state);
    return ran ? std::string(ascii::trim(ran->output)) : std::string();
}

} // namespace

Result<void> mark_new(const std::string& interface) {
    if (exists(new_mark(interface))) return {}; // of a run that was killed: that is how it was
    const auto before = files::read(file_path(interface));
    if (!before && before.error().code != Errc::not_found) return before.error();
    if (auto made = files::make_folders(new_folder, 0700); !made) return made;
    if (const auto settings = files::read(settings_path(interface)))
        if (auto kept = files::replace(old_settings(interface), *settings, 0600); !kept)
            return kept;
    return files::replace(new_mark(interface), before ? *before : SecretString(), 0600);
}

Result<void> keep_new(const std::string& interface, NodeAnswer& answer) {
    if (!exists("/run/systemd/system")) {
        answer.warnings.push_back(
            fmt::format("systemd does not run here: {} has to be brought up at boot by other means",
                        interface));
        return {};
    }
    std::string unit; // the first that is there; if any is enabled, the other would stop it at boot
    for (const char* kind : {"wgkit", "wg-quick"}) {
        const auto name = fmt::format("{}@{}.service", kind, interface);
        const auto state = boot_state(name);
        if (state == "enabled") return {};
        if (!state.empty() && unit.empty()) unit = name;
    }
    if (unit.empty()) {
        answer.warnings.push_back(fmt::format(
            "neither wgkit@ nor wg-quick@ is a unit here: {} does not come up at boot", interface));
        return {};
    }
    const auto enabled = run_child({"systemctl", "enable", unit}, {}, systemctl_patience);
    if (!enabled || enabled->status != 0)
        answer.warnings.push_back(fmt::format(
            "`systemctl enable {}` failed: {} does not come up at boot", unit, interface));
    return {};
}

std::string host_change(const std::string& interface) {
    return "host-" + name_across_namespaces(interface);
}

std::optional<std::chrono::seconds> time_left(const std::string& interface) {
    const auto pending = confirm::find(net_change(interface));
    if (!pending || !*pending) return std::nullopt;
    return std::max(std::chrono::seconds(0),
                    std::chrono::ceil<std::chrono::seconds>((*pending)->deadline - confirm::now()));
}

bool firewall_waits() {
    const auto pending = confirm::find(fw_change);
    return (pending && *pending) || confirm::has_way_back(way_back(fw_change));
}

bool can_go_back(const std::string& interface) {
    const auto all = changes_of(interface);
    return exists(new_mark(interface))
           || std::any_of(all.begin(), all.end(), [](const std::string& change) {
                  return confirm::has_way_back(way_back(change));
              });
}

void do_confirm(const NodeRequest& request, NodeAnswer& answer) {
    for (const auto& wanted : request.files)
        for (const auto& change : changes_of(wanted.interface))
            if (auto done = confirm_one(change); !done) {
                answer.error = done.error();
                return;
            }
    if (!request.firewall) return;
    if (auto done = confirm_one(fw_change); !done) answer.error = done.error();
}

void do_keep(const NodeRequest& request, NodeAnswer& answer) {
    for (const auto& wanted : request.files) {
        const auto& name = wanted.interface;
        Result<void> done;
        for (const auto& change : changes_of(name))
            if (done) done = drop_one(change);
        // Only `keep` can remove a file that counts at boot.
        if (done && wanted.settings.empty()) done = put_settings(wanted);
        if (done && exists(new_mark(name))) {
            done = keep_new(name, answer);
            ::unlink(old_settings(name).c_str());
            if (done && ::unlink(new_mark(name).c_str()) != 0) done = errno_error(new_mark(name));
        }
        if (!done && !answer.error) answer.error = done.error();
    }
    if (!request.firewall) return;
    if (auto done = drop_one(fw_change); !done && !answer.error) answer.error = done.error();
}

void do_undo(const NodeRequest& request, NodeAnswer& answer) {
    for (const auto& wanted : request.files) {
        const auto& name = wanted.interface;
        Result<void> done;
        if (exists(new_mark(name))) {
            done = undo_new(name);
        } else {
            auto all = changes_of(name);
            std::reverse(all.begin(), all.end());
            for (const auto& change : all)
                if (auto undone = undo_one(change); !undone && done) done = undone;
        }
        // The file that has come back is as old as the change.
        if (done) done = drop_revoked(name);
        if (!done && !answer.error) answer.error = done.error();
    }
    if (!request.firewall) return;
    if (auto done = undo_one(fw_change); !done && !answer.error) answer.error = done.error();
}

} // namespace wgkit::tool::fleet
