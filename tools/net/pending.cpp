#include "net/pending.hpp"

#include <fmt/format.h>

#include "net/snapshot.hpp"
#include "util/namespace.hpp"
#include "util/own_program.hpp"
#include "wgkit/confirm.hpp"
#include "wgkit/revoked.hpp"

namespace wgkit::tool::net {

namespace {

constexpr std::string_view change_prefix = "net-";
constexpr const char* device_file = "device.conf";
constexpr const char* state_file = "state.json";

} // namespace

std::string change_name(const std::string& interface) {
    return fmt::format("{}{}", change_prefix, name_across_namespaces(interface));
}

std::string interface_of_change(const std::string& name) {
    if (!name.starts_with(change_prefix)) return {};
    const std::string interface =
        name.substr(change_prefix.size(), name.find('@') - change_prefix.size());
    return change_name(interface) == name ? interface : std::string();
}

Result<void> check_nothing_pending(const std::string& interface) {
    const auto name = change_name(interface);
    const auto pending = confirm::find(name);
    // A name that cannot be that of a change.
    if (!pending && pending.error().code == Errc::invalid) return {};
    if (!pending) return pending.error();
    if (!*pending) return {};
    return Error{Errc::conflict,
                 fmt::format("a change of {} waits for its confirmation", interface),
                 fmt::format("`wgkit net confirm {0}` from a new connection, or "
                             "`wgkit net confirm --undo {0}`",
                             interface)};
}

Result<void> arm_rollback(const Convergence& it, std::chrono::seconds timeout,
                          const std::string& boot_file) {
    // Not only when it is needed.
    if (const auto revoked = read_revoked_keys(); !revoked) return revoked.error();
    confirm::Change change;
    change.name = change_name(it.interface());
    change.summary = fmt::format("{} as {} wants it", it.interface(), it.target.file.path);
    change.timeout = timeout;
    const auto device = confirm::data_path(change.name, device_file);
    const auto state = confirm::data_path(change.name, state_file);
    change.undo = {own_program("wgkit-net"), "restore", it.interface(), device, state};
    Snapshot before = take_snapshot(it);
    change.data.push_back({device_file, std::move(before.device)});
    change.data.push_back({state_file, SecretString(before.state)});
    if (!boot_file.empty())
        change.boot_files.push_back({boot_file, SecretString(it.target.text), 0600});
    if (auto armed = confirm::arm(change); !armed) return armed.error();
    return {};
}

} // namespace wgkit::tool::net
