// The steps of a rotation. Each begins by making the second device what the record says, so that it
// can go on after a kill or a reboot, and writes the record when its work is done.
#include "wgkit/rotate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "rotate/await.hpp"
#include "rotate/boot_file.hpp"
#include "rotate/exchange.hpp"
#include "rotate/filter.hpp"
#include "rotate/second_device.hpp"
#include "rotate/state.hpp"
#include "wgkit/config.hpp"

namespace wgkit::rotate {

namespace {

/// A record of an interface of that name in another network namespace, or of an earlier life.
Result<void> check_record(const State& state, const Device& present) {
    const auto is_key = [&present](const WantedDevice& device) {
        return present.public_key == public_key(*device.private_key);
    };
    if (is_key(state.before) || is_key(state.after)) return {};
    return Error{
        Errc::conflict,
        fmt::format("the rotation that is under way is not one of this {}", state.interface),
        "--state keeps records of several interfaces of one name apart"};
}

Result<State> load_existing(const std::string& interface, const Options& options) {
    auto state = load(interface, options.state_folder);
    if (!state) return state.error();
    if (!*state)
        return Error{Errc::not_found, fmt::format("no rotation of {} is under way", interface),
                     fmt::format("wgkit net rotate prepare {} begins one", interface)};
    const auto present = read_device(interface);
    if (!present) return present.error();
    if (auto same = check_record(**state, *present); !same) return same.error();
    return **std::move(state);
}

Result<void> set_phase(State& state, Phase phase, const Options& options) {
    if (state.phase == phase) return {};
    state.phase = phase;
    return save(state, options.state_folder);
}

Result<void> check_key(const InterfaceFile& file, const config::Config& config,
                       const Device& present) {
    const auto& key = config.interface.private_key;
    if (!key || public_key(*key) == present.public_key) return {};
    return Error{Errc::conflict,
                 fmt::format("{} has another key than {}", file.interface, file.path),
                 fmt::format("wgkit net plan {} shows what differs", file.path)};
}

Result<void> begin_second(State& state, const Options& options) {
    const auto taken = is_link(state.second_name);
    if (!taken) return taken.error();
    if (*taken)
        return Error{Errc::conflict, fmt::format("{} already exists", state.second_name),
                     "--second gives the second device another name"};
    if (auto noted = note_rp_filters(state); !noted) return noted;
    if (auto saved = save(state, options.state_folder); !saved) return saved;
    auto made = bring_up_second(state);
    if (made) return made;
    if (made.error().hint.empty())
        made.error().hint = fmt::format("its port is {}: --port takes another one",
                                        state.second.listen_port.value_or(0));
    close_filter(state);
    restore_rp_filters(state);
    (void)remove_second(state);
    (void)remove(state.interface, options.state_folder);
    return made;
}

bool takes_part(const State& state, const PublicKey& key) {
    const auto is_listed = [&key](const WantedDevice& device) {
        return std::any_of(device.peers.begin(), device.peers.end(),
                           [&key](const WantedPeer& peer) { return peer.public_key == key; });
    };
    return is_listed(state.before) || is_listed(state.after);
}

Error not_yet(const State& state, std::string_view step) {
    return {Errc::conflict,
            fmt::format("{} is {}: it is too early for {}", state.interface, to_string(state.phase),
                        step),
            fmt::format("wgkit net rotate run {} does all steps that are left", state.interface)};
}

Result<void> refuse_left_behind(const State& state, const Device& present, const Options& options) {
    const auto others = left_behind(state, present);
    if (others.empty() || state.going_back) return {};
    Error error{Errc::conflict,
                fmt::format("{} of {} peers have made no offer, and will not know the new key of "
                            "{}: {}",
                            others.size(), present.peers.size(), state.interface, names_of(others)),
                "for a peer without wgkit no change of keys is without loss: between both ends' "
                "changes nothing passes; --leave-behind goes on all the same"};
    if (!options.leave_behind) return error;
    if (options.warn) options.warn({error.code, error.message, {}});
    return {};
}

/// The traffic goes over the second device; the interface is silent.
Result<void> move_over(const State& state, const Device& present, const Options& options) {
    if (auto up = await_sessions(state, state.second_name, state.second.peers, options); !up)
        return up;
    if (auto put = put_routes(state, present); !put) return put;
    if (state.phase == Phase::rekeying) return {}; // its peers may be new ones already
    if (auto set = set_keepalive(state.interface, state.before.peers, 0); !set) return set;
    return set_keepalive(state.interface, state.after.peers, 0);
}

/// Whether a peer of the interface is one that this rotation has made.
bool is_made(const DevicePeer& peer, const State& state) {
    return peer.persistent_keepalive == audible_seconds
           && std::any_of(
               state.wanted().peers.begin(), state.wanted().peers.end(),
               [&peer](const WantedPeer& one) { return one.public_key == peer.public_key; });
}

/// The interface's own device. Peers are made anew, so that their next handshake is with the new
/// keys for sure: they carry nothing now. But those that a run made that was killed may.
Result<void> set_keys(const State& state) {
    auto backend = open_device(state.interface);
    if (!backend) return backend.error();
    auto present = (*backend)->get();
    if (!present) return present.error();
    const bool has_key = present->public_key == public_key(*state.wanted().private_key);
    DeviceChange away;
    for (const auto& peer : present->peers)
        if (takes_part(state, peer.public_key) && !(has_key && is_made(peer, state)))
            away.removed_peers.push_back(peer.public_key);
    if (auto gone = set_all(**backend, away); !gone) return gone;
    present = (*backend)->get();
    if (!present) return present.error();
    WantedDevice wanted;
    wanted.private_key = state.wanted().private_key->clone();
    for (const auto& peer : state.wanted().peers) {
        wanted.peers.push_back(copy_of(peer));
        wanted.peers.back().persistent_keepalive = audible_seconds;
        if (!peer.endpoint) continue;
        auto address = look_up(*peer.endpoint);
        if (!address) return address.error();
        wanted.peers.back().address = *address;
    }
    return set_all(**backend,
                   diff(wanted, *present, {.keep_other_peers = true, .now = std::time(nullptr)}));
}

Result<void> restore_keepalives(const State& state) {
    for (const auto& peer : state.wanted().peers)
        if (auto set =
                set_keepalive(state.interface, {&peer, 1}, peer.persistent_keepalive.value_or(0));
            !set)
            return set;
    return {};
}

} // namespace

Result<Offer> prepare(const InterfaceFile& file, const config::Config& config,
                      const Options& options) {
    auto known = load(file.interface, options.state_folder);
    if (!known) return known.error();
    const auto present = read_device(file.interface);
    if (!present) return present.error();
    if (*known) {
        if (auto same = check_record(**known, *present); !same) return same.error();
        if ((*known)->phase != Phase::returned)
            if (auto up = bring_up_second(**known); !up) return up.error();
        return offer_of(**known);
    }
    if (auto same = check_key(file, config, *present); !same) return same.error();
    auto state = begin(*present, file, options);
    if (!state) return state.error();
    if (auto begun = begin_second(*state, options); !begun) return begun.error();
    if (options.warn)
        if (const auto doubt = doubt_firewall(*state, present->listen_port)) options.warn(*doubt);
    return offer_of(*state);
}

Result<bool> is_under_way(const std::string& interface, const Options& options) {
    const auto state = load(interface, options.state_folder);
    if (!state) return state.error();
    return state->has_value();
}

Result<void> accept(const std::string& interface, std::vector<Offer> offers,
                    const Options& options) {
    auto state = load_existing(interface, options);
    if (!state) return state.error();
    const auto present = read_device(interface);
    if (!present) return present.error();
    for (auto& offer : offers)
        if (auto added = add_offer(*state, *present, std::move(offer)); !added) return added;
    if (state->phase != Phase::prepared) return {};
    if (auto saved = save(*state, options.state_folder); !saved) return saved;
    if (auto up = bring_up_second(*state); !up) return up;
    return set_keepalive(interface, state->before.peers, audible_seconds);
}

Result<void> switch_over(const std::string& interface, const Options& options) {
    auto state = load_existing(interface, options);
    if (!state) return state.error();
    if (state->phase != Phase::prepared && state->phase != Phase::switched) return {};
    const auto present = read_device(interface);
    if (!present) return present.error();
    if (auto good = refuse_left_behind(*state, *present, options); !good) return good;
    if (state->second.peers.empty())
        return Error{Errc::conflict, fmt::format("no offer for {} has been accepted", interface),
                     "wgkit net rotate accept takes the offers of the other ends"};
    if (auto up = bring_up_second(*state); !up) return up;
    if (auto moved = move_over(*state, *present, options); !moved) return moved;
    return set_phase(*state, Phase::switched, options);
}

Result<void> rekey(const std::string& interface, const Options& options) {
    auto state = load_existing(interface, options);
    if (!state) return state.error();
    if (state->phase == Phase::rekeyed || state->phase == Phase::returned) return {};
    if (state->phase == Phase::prepared) return not_yet(*state, "rekey");
    const auto present = read_device(interface);
    if (!present) return present.error();
    if (auto good = refuse_left_behind(*state, *present, options); !good) return good;
    // After a reboot there may be neither device nor routes.
    if (auto up = bring_up_second(*state); !up) return up;
    if (auto moved = move_over(*state, *present, options); !moved) return moved;
    if (state->phase == Phase::switched)
        if (auto quiet = await_quiet_interface(*state, options); !quiet) return quiet;
    if (auto noted = set_phase(*state, Phase::rekeying, options); !noted) return noted;
    if (auto set = set_keys(*state); !set) return set;
    if (auto written = write_boot_files(*state); !written) return written;
    return set_phase(*state, Phase::rekeyed, options);
}

Result<void> give_back(const std::string& interface, const Options& options) {
    auto state = load_existing(interface, options);
    if (!state) return state.error();
    if (state->phase == Phase::returned) return {};
    if (state->phase != Phase::rekeyed) return not_yet(*state, "return");
    const auto& peers = state->wanted().peers;
    const auto routes = count_routes(*state);
    if (!routes) return routes.error();
    if (*routes != 0) {
        if (auto set = set_keepalive(interface, peers, audible_seconds); !set) return set;
        auto up = state->going_back ? await_life(*state, options)
                                    : await_sessions(*state, interface, peers, options);
        if (!up) return up;
        if (auto gone = take_routes(*state); !gone) return gone;
    }
    if (const auto there = is_link(state->second_name); there && *there)
        if (auto set = set_keepalive(state->second_name, state->second.peers, 0); !set) return set;
    return set_phase(*state, Phase::returned, options);
}

Result<void> finish(const std::string& interface, const Options& options) {
    const auto begun = is_under_way(interface, options);
    if (!begun) return begun.error();
    if (!*begun) return {}; // a run that was killed has done all of it
    const auto state = load_existing(interface, options);
    if (!state) return state.error();
    if (state->phase != Phase::returned) return not_yet(*state, "finish");
    const auto there = is_link(state->second_name);
    if (!there) return there.error();
    if (*there)
        if (auto quiet = await_quiet_second(*state, options); !quiet) return quiet;
    // Not earlier: an end that goes back must hear those that have not.
    if (auto set = restore_keepalives(*state); !set) return set;
    if (auto gone = remove_second(*state); !gone) return gone;
    close_filter(*state);
    restore_rp_filters(*state);
    remove_temporaries(state->file);
    return remove(interface, options.state_folder);
}

Result<void> abort(const std::string& interface, const Options& options) {
    auto state = load_existing(interface, options);
    if (!state) return state.error();
    if (state->going_back) return {};
    const auto present = read_device(interface);
    if (!present) return present.error();
    state->going_back = true;
    state->phase = has_wanted_keys(*state, *present) ? Phase::rekeyed : Phase::prepared;
    return save(*state, options.state_folder);
}

Result<void> drop_peers(const std::string& interface, const std::vector<PublicKey>& keys,
                        const Options& options) {
    const auto begun = is_under_way(interface, options);
    if (!begun) return begun.error();
    if (!*begun) return {};
    auto state = load_existing(interface, options);
    if (!state) return state.error();
    const auto is_dropped = [&](const WantedPeer& peer) {
        return std::find(keys.begin(), keys.end(), peer.public_key) != keys.end();
    };
    const std::array devices{&state->before, &state->after, &state->second};
    std::vector<PublicKey> gone;
    for (std::size_t i = state->second.peers.size(); i-- > 0;) {
        if (std::none_of(devices.begin(), devices.end(),
                         [&](const auto* device) { return is_dropped(device->peers[i]); }))
            continue;
        for (auto* device : devices) {
            gone.push_back(device->peers[i].public_key);
            device->peers.erase(device->peers.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    if (gone.empty()) return {};
    if (auto saved = save(*state, options.state_folder); !saved) return saved;
    for (const auto& name : {interface, state->second_name}) {
        const auto there = is_link(name);
        if (!there) return there.error();
        if (!*there) continue;
        if (auto taken = remove_peers(name, gone); !taken) return taken;
    }
    return {};
}

Result<PrivateKey> wanted_key(const std::string& interface, const Options& options) {
    const auto state = load_existing(interface, options);
    if (!state) return state.error();
    return state->wanted().private_key->clone();
}

Result<void> settle_boot_files(const InterfaceFile& file, const Options& options) {
    const auto state = load(file.interface, options.state_folder);
    if (!state) return state.error();
    if (!*state || (*state)->file != file.path) return {};
    const Phase phase = (*state)->phase;
    // Before, nothing is written; afterwards, all of it. Who goes back may have been at it.
    const bool may_be_half =
        phase == Phase::rekeying || ((*state)->going_back && phase < Phase::rekeying);
    return may_be_half ? write_boot_files(**state) : Result<void>();
}

Result<void> run(const std::string& interface, const Options& options) {
    // Nobody else sees to it that the other ends are done: they must have had time to be heard.
    Options patient = options;
    patient.quiet = std::max<std::chrono::milliseconds>(patient.quiet,
                                                        std::chrono::seconds(audible_seconds + 1));
    for (const auto step : {switch_over, rekey, give_back, finish})
        if (auto done = step(interface, patient); !done) return done;
    return {};
}

} // namespace wgkit::rotate
