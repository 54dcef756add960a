#include "net/convergence.hpp"

#include <fmt/format.h>

#include <ctime>

namespace wgkit::tool::net {

namespace {

void look_up_names(Convergence& it) {
    for (WantedPeer* peer : peers_to_look_up(it.wanted, it.present, it.options)) {
        auto found = look_up(*peer->endpoint);
        if (found)
            peer->address = *found;
        else
            it.unknown_endpoints.push_back(
                fmt::format("peer {}: {}", to_string(peer->public_key), found.error().message));
    }
}

/// The device as it will be, as far as the host's state follows from it.
Device device_after(const Convergence& it) {
    Device after;
    after.name = it.interface();
    after.fwmark = it.change.fwmark.value_or(it.present.fwmark);
    after.peers.emplace_back().allowed_ips = allowed_ips_after(it.present, it.change);
    return after;
}

/// Only a file of wg-quick speaks of the host, and it has an Address. What it does not say of the
/// rest is left alone, as with the device.
Result<void> converge_host(Convergence& it) {
    const auto& interface = it.target.config.interface;
    HostConvergence& host = it.host;
    if (interface.addresses.empty()) return {};
    host.manager = network_manager_of(it.interface());
    if (!host.manager.empty()) return {};
    const Device after = device_after(it);
    const auto facts = read_host_facts(after, interface, PathMtu::leave);
    if (!facts) return facts.error();
    auto wanted = wanted_host(interface, after.peers.front().allowed_ips, *facts);
    if (wanted.fwmark != 0 && wanted.fwmark != it.wanted.fwmark) {
        it.wanted.fwmark = wanted.fwmark;
        it.change.fwmark.reset();
        if (wanted.fwmark != it.present.fwmark) it.change.fwmark = wanted.fwmark;
    }
    HostGoal& goal = host.goal.emplace();
    goal.wanted = std::move(wanted.state);
    if (interface.table != "off")
        for (const auto& peer : it.present.peers)
            goal.owned.insert(goal.owned.end(), peer.allowed_ips.begin(), peer.allowed_ips.end());
    // With `Table` set, rules and filters are the work of hooks, or nobody's.
    goal.has_rules = !interface.table || *interface.table == "auto";
    goal.mark_before = it.present.fwmark;
    goal.mark_after = after.fwmark;
    if (it.change.fwmark) goal.mark_after = *it.change.fwmark;
    auto present = read_host(it.interface(), goal, goal.mark_before);
    if (!present) return present.error();
    host.present = *std::move(present);
    host.steps = diff(goal.wanted, host.present, goal.owned);
    return {};
}

} // namespace

Result<Convergence> converge(LoadedFile target, const ConvergenceOptions& options) {
    Convergence it;
    it.target = std::move(target);
    it.options = {options.keep_unmanaged, options.set_endpoints, std::time(nullptr)};
    it.wanted = wanted_device(it.target.config);
    auto backend = open_device(it.interface());
    if (!backend) return backend.error();
    it.backend = std::move(*backend);
    auto present = it.backend->get();
    if (!present) return present.error();
    it.present = std::move(*present);
    look_up_names(it);
    it.change = diff(it.wanted, it.present, it.options);
    if (options.host)
        if (auto done = converge_host(it); !done) return done.error();
    return it;
}

int carry_out(Convergence& it, InterfaceLock& lock, const Report& report) {
    int status = exit_ok;
    for (const auto& text : it.unknown_endpoints) {
        report.error(fmt::format("{}: {}", it.interface(), text), "its endpoint is left as it is");
        status = exit_failed;
    }
    if (it.empty()) return status;
    Changing changing(it.interface(), *it.backend, lock, report);
    if (changing.change(std::move(it.change), it.host.goal) != exit_ok) return exit_failed;
    const auto after = it.backend->get();
    if (!after) return report.error(after.error());
    if (diff(it.wanted, *after, it.options).empty()) return status;
    report.error(fmt::format("{} is not what was asked for after the change", it.interface()),
                 fmt::format("`wgkit net plan {}` shows what differs", it.target.file.path));
    return exit_failed;
}

} // namespace wgkit::tool::net
