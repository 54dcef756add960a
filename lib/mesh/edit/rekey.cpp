#include <fmt/format.h>

#include <algorithm>

#include "mesh/fleet/fleet_guard.hpp"
#include "mesh/secrets/custody.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::mesh {

namespace {

Error unknown_node(const Fleet& fleet, const std::string& name) {
    return {Errc::not_found, fmt::format("{} has no node '{}'", fleet.paths.nodes, name), {}};
}

bool names(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

Result<void> check_names(const Fleet& fleet, const std::vector<std::string>& nodes) {
    for (const auto& name : nodes) {
        const bool known =
            std::any_of(fleet.plans.begin(), fleet.plans.end(),
                        [&](const Plan& plan) { return plan.find(name).has_value(); });
        if (!known) return unknown_node(fleet, name);
    }
    return {};
}

} // namespace

Result<std::vector<RekeyedNode>> rekey_nodes(Fleet& fleet, const std::vector<std::string>& nodes,
                                             Date today) {
    if (auto known = check_names(fleet, nodes); !known) return std::move(known).error();
    auto guard = guard_fleet(fleet);
    if (!guard) return std::move(guard).error();
    std::vector<RekeyedNode> done;
    for (const auto& network : fleet.inventory.networks) {
        LockedNetwork& lock = *fleet.lock.find(network.name.value);
        const KeyStore store(fleet.paths.keys, network.name.value, true);
        for (const auto& node : network.nodes) {
            const std::string& name = node.name.value;
            if (!names(nodes, name)) continue;
            if (!keeps_key_here(node) || node.public_key)
                return Error{Errc::invalid, fmt::format("the key of {} is not made here", name),
                             "make it on the node and put its public key into the inventory"};
            LockedNode& line = *lock.find(name);
            if (!line.key)
                return Error{Errc::not_found, fmt::format("{} has no key yet", name),
                             "`wgkit mesh render` makes it"};
            if (auto ready = store.prepare(); !ready) return std::move(ready).error();
            const PrivateKey fresh = generate_private_key();
            if (auto staged = store.stage_key(name, fresh); !staged)
                return std::move(staged).error();
            done.push_back(
                {network.name.value, name, *line.key, public_key(fresh), line.generation + 1});
            line.key = done.back().after;
            line.generation = done.back().generation;
            line.keyed = today;
        }
    }
    // The lock decides: with it written, the staged keys are the keys, whoever moves them.
    if (auto written = write_lock(fleet); !written) return std::move(written).error();
    for (const auto& node : done) {
        const KeyStore store(fleet.paths.keys, node.network, true);
        if (auto moved = store.adopt_staged_key(node.name); !moved) return std::move(moved).error();
    }
    return done;
}

namespace {

/// The master of a network. With `reseed`, one that is lost or another than it should be is no
/// obstacle: a new one takes its place.
Result<std::optional<PskMaster>> master_to_change(const LockedNetwork& lock, const KeyStore& store,
                                                  bool reseed) {
    auto master = load_master(lock, store);
    const bool is_gone =
        !master
        && (master.error().code == Errc::not_found || master.error().code == Errc::conflict);
    if (reseed && is_gone) return std::optional<PskMaster>();
    if (master && !*master && !reseed)
        return Error{Errc::not_found, fmt::format("{} has no PSK master yet", lock.name),
                     "`wgkit mesh render` makes it"};
    return master;
}

/// Calls `change(lock, master, store)` for every network whose pairs have derived keys. Without
/// `reseed` there is a master.
template <class Change>
Result<std::vector<PskEpochs>> for_each_master(Fleet& fleet, bool allow_open, bool reseed,
                                               Date today, Change change) {
    std::vector<PskEpochs> result;
    for (const auto& network : fleet.inventory.networks) {
        if (!uses_pair_keys(network)) continue;
        LockedNetwork& lock = *fleet.lock.find(network.name.value);
        const KeyStore store(fleet.paths.keys, network.name.value, allow_open);
        auto master = master_to_change(lock, store, reseed);
        if (!master) return std::move(master).error();
        if (auto ready = store.prepare(); !ready) return std::move(ready).error();
        if (auto changed = change(lock, *master, store); !changed)
            return std::move(changed).error();
        if (reseed) lock.psk_master.reset();
        enter_master(lock, **master, today);
        result.push_back(epochs_of(lock));
        result.back().first_kept = (*master)->first_epoch();
    }
    if (result.empty()) return Error{Errc::not_found, "no network has `psk: per-pair`", {}};
    if (auto written = write_lock(fleet); !written) return std::move(written).error();
    return result;
}

} // namespace

Result<std::vector<PskEpochs>> advance_psks(Fleet& fleet, const std::vector<std::string>& nodes,
                                            bool reseed, bool allow_open_keys, Date today) {
    if (auto known = check_names(fleet, nodes); !known) return std::move(known).error();
    auto guard = guard_fleet(fleet);
    if (!guard) return std::move(guard).error();
    return for_each_master(fleet, allow_open_keys, reseed, today,
                           [&](LockedNetwork& lock, std::optional<PskMaster>& master,
                               const KeyStore& store) -> Result<void> {
                               // Without a master no pair's present key can be made again: all
                               // nodes must move.
                               const bool all = nodes.empty() || !master;
                               const auto chosen = [&](const LockedNode& node) {
                                   return all || names(nodes, node.name);
                               };
                               const std::uint32_t newest = epochs_of(lock).newest;
                               const bool all_there =
                                   std::all_of(lock.nodes.begin(), lock.nodes.end(),
                                               [&](const LockedNode& node) {
                                                   return !chosen(node) || node.psk_epoch == newest;
                                               });
                               const std::uint32_t target = newest + (all_there || reseed ? 1 : 0);
                               for (auto& node : lock.nodes)
                                   if (chosen(node)) node.psk_epoch = target;
                               if (!reseed) return {};
                               if (master)
                                   master->reseed(target);
                               else
                                   master = PskMaster::generate(target);
                               return store.replace_master(*master);
                           });
}

Result<std::vector<PskEpochs>> finish_psks(Fleet& fleet, bool allow_open_keys, Date today) {
    auto guard = guard_fleet(fleet);
    if (!guard) return std::move(guard).error();
    return for_each_master(fleet, allow_open_keys, false, today,
                           [](LockedNetwork& lock, std::optional<PskMaster>& master,
                              const KeyStore& store) -> Result<void> {
                               const auto oldest = epochs_of(lock).oldest;
                               if (oldest <= master->first_epoch()) return {};
                               master->forget_before(oldest);
                               return store.replace_master(*master);
                           });
}

} // namespace wgkit::mesh
