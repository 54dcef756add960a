#include "net/restore.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "net/changing.hpp"
#include "net/snapshot.hpp"
#include "wgkit/files.hpp"
#include "wgkit/revoked.hpp"

namespace wgkit::tool::net {

namespace {

struct RestoreOptions {
    std::string interface;
    std::string device;
    std::string state;
};

Result<Before> read_before(const RestoreOptions& options) {
    auto device = files::read_secret(options.device);
    if (!device) return device.error();
    const auto state = files::read(options.state);
    if (!state) return state.error();
    return read_snapshot({*std::move(device), std::string(*state)});
}

/// Without the list, whatever is not there now could be on it.
std::vector<PublicKey> all_that_are_gone(const Before& before, const Device& present) {
    std::vector<PublicKey> now;
    if (present.public_key) now.push_back(*present.public_key);
    for (const auto& peer : present.peers) now.push_back(peer.public_key);
    std::sort(now.begin(), now.end());
    std::vector<PublicKey> gone;
    const auto add = [&](const PublicKey& key) {
        if (!std::binary_search(now.begin(), now.end(), key)) gone.push_back(key);
    };
    for (const auto& peer : before.device.peers) add(peer.public_key);
    if (!is_zero(*before.device.private_key)) add(public_key(*before.device.private_key));
    std::sort(gone.begin(), gone.end());
    return gone;
}

HostGoal goal_of(const Before& before, const Device& present) {
    HostGoal goal;
    goal.wanted = *before.host;
    goal.mark_before = before.mark_after; // it was the change's that is undone
    goal.mark_after = before.mark;
    for (const auto& peer : present.peers)
        goal.owned.insert(goal.owned.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
    return goal;
}

int run_restore(const RestoreOptions& options, const Report& report) {
    auto before = read_before(options);
    if (!before) return report.error(before.error());
    const auto backend = open_device(options.interface);
    if (!backend && backend.error().code == Errc::not_found) {
        report.note(fmt::format("{} is gone; there is nothing to restore", options.interface));
        return exit_ok;
    }
    if (!backend) return report.error(backend.error());
    auto lock = InterfaceLock::take(options.interface);
    if (!lock) return report.error(lock.error());
    const auto present = (*backend)->get();
    if (!present) return report.error(present.error());

    int status = exit_ok;
    auto revoked = read_revoked_keys();
    if (!revoked) {
        status = report.error(revoked.error());
        revoked = all_that_are_gone(*before, *present);
    }
    adjust(*before, *present, *revoked);
    const DiffOptions exact{.set_all_endpoints = true};
    std::optional<HostGoal> host;
    if (before->host) host = goal_of(*before, *present);
    Changing changing(options.interface, **backend, *lock, report);
    status |= changing.change(diff(before->device, *present, exact), host);
    const auto after = (*backend)->get();
    if (!after) return report.error(after.error());
    if (status == exit_ok && !diff(before->device, *after, exact).empty())
        return report.error(
            {Errc::conflict, fmt::format("{} is not what it was", options.interface), {}});
    return status;
}

} // namespace

Action setup_restore(Arguments arguments) {
    auto options = std::make_shared<RestoreOptions>();
    arguments.add_option("IFACE", options->interface, "The interface").type_name("").required();
    arguments.add_option("device", options->device, "Its device, as apply --confirm has saved it")
        .type_name("FILE")
        .required();
    arguments.add_option("state", options->state, "What else was saved with it")
        .type_name("FILE")
        .required();
    return [options](const Report& report) { return run_restore(*options, report); };
}

} // namespace wgkit::tool::net
