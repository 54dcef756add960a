// The steps of a rotation. Each begins by making the second device what the record says, so that it
// can go on after a kill or a reboot, and writes the record when its work is done.
#include "wgkit/rotate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <thread>
#include <unordered_map>

#include "rotate/boot_file.hpp"
#include "rotate/exchange.hpp"
#include "rotate/filter.hpp"
#include "rotate/second_device.hpp"
#include "rotate/state.hpp"
#include "wgkit/config.hpp"

namespace wgkit::rotate {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto look_pause = std::chrono::milliseconds(50);

Result<State> load_existing(const std::string& interface, const Options& options) {
    auto state = load(interface, options.state_folder);
    if (!state) return state.error();
    if (!*state)
        return Error{Errc::not_found, fmt::format("no rotation of {} is under way", interface),
                     fmt::format("wgkit net rotate prepare {} begins one", interface)};
    return **std::move(state);
}

Result<void> set_phase(State& state, Phase phase, const Options& options) {
    if (state.phase == phase) return {};
    state.phase = phase;
    return save(state, options.state_folder);
}

std::string list(const std::vector<PublicKey>& keys) {
    constexpr std::size_t most = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(keys.size(), most); ++i)
        text += (i == 0 ? "" : ", ") + to_string(keys[i]);
    if (keys.size() > most) text += fmt::format(" and {} more", keys.size() - most);
    return text;
}

/// Looks until there is nothing in the way; what is then, at the end of the patience.
template <class Look>
Result<void> wait_until(const Options& options, const std::string& what, Look look) {
    const auto end = Clock::now() + options.timeout;
    for (bool told = false;; told = true) {
        const Result<std::optional<Error>> seen = look();
        if (!seen) return seen.error();
        if (!*seen) return {};
        if (Clock::now() >= end) return **seen;
        if (!told && options.tell) options.tell(what);
        std::this_thread::sleep_for(look_pause);
    }
}

/// Until all peers have a session on the device.
Result<void> await_sessions(const State& state, const std::string& device,
                            const std::vector<WantedPeer>& peers, const Options& options) {
    if (!options.wait) return {};
    const auto look = [&]() -> Result<std::optional<Error>> {
        const auto silent = peers_without_session(device, peers);
        if (!silent) return silent.error();
        if (silent->empty()) return std::optional<Error>();
        return std::optional<Error>(
            Error{Errc::conflict, fmt::format("no handshake on {} with {}", device, list(*silent)),
                  device == state.second_name
                      ? fmt::format("has that end accepted this end's offer, and does UDP port {} "
                                    "reach one of both",
                                    state.second.listen_port.value_or(0))
                      : std::string("has that end got its new keys (rekey)")});
    };
    return wait_until(options, fmt::format("waiting for handshakes on {}", device), look);
}

/// Until nothing has come in for the time that is asked for. `received`: bytes until now.
template <class Received>
Result<void> await_quiet(const std::string& device, const Options& options, Received received) {
    if (!options.wait) return {};
    std::optional<std::uint64_t> before;
    Clock::time_point since;
    const auto look = [&]() -> Result<std::optional<Error>> {
        const Result<std::uint64_t> bytes = received();
        if (!bytes) return bytes.error();
        if (before != *bytes) since = Clock::now();
        before = *bytes;
        if (Clock::now() - since >= options.quiet) return std::optional<Error>();
        return std::optional<Error>(Error{Errc::conflict,
                                          fmt::format("packets still come in on {}", device),
                                          "have all other ends done their last step"});
    };
    Options patient = options;
    patient.timeout += options.quiet;
    return wait_until(patient, fmt::format("waiting until {} is quiet", device), look);
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
                            others.size(), present.peers.size(), state.interface, list(others)),
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
    if (auto gone = change_device(**backend, away); !gone) return gone;
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
    return change_device(
        **backend, diff(wanted, *present, {.keep_other_peers = true, .now = std::time(nullptr)}));
}

/// On the way back there may be a session from before, which the other end may have given up with
/// its keys, or not. One that is alive is heard, and so is a new one. To be heard by the other
/// end, and not to keep it from speaking, this one speaks once and is silent then.
Result<void> await_life(const State& state, const Options& options) {
    if (!options.wait) return {};
    const auto& peers = state.wanted().peers;
    std::unordered_map<PublicKey, Heard> before;
    Clock::time_point spoke;
    const auto look = [&]() -> Result<std::optional<Error>> {
        if (Clock::now() - spoke > std::chrono::seconds(audible_seconds + 1)) {
            for (const std::uint16_t seconds :
                 {std::uint16_t{0}, audible_seconds, std::uint16_t{0}})
                if (auto set = set_keepalive(state.interface, peers, seconds); !set)
                    return set.error();
            spoke = Clock::now();
        }
        const auto heard = heard_from(state.interface, peers);
        if (!heard) return heard.error();
        std::vector<PublicKey> silent;
        for (const auto& [key, now] : *heard)
            if (!is_alive(before.try_emplace(key, now).first->second, now)) silent.push_back(key);
        if (silent.empty()) return std::optional<Error>();
        return std::optional<Error>(
            Error{Errc::conflict,
                  fmt::format("nothing comes in on {} from {}", state.interface, list(silent)),
                  "has that end been told to go back, too (abort, then run)"});
    };
    auto alive = wait_until(options, fmt::format("waiting for life on {}", state.interface), look);
    if (auto set = set_keepalive(state.interface, peers, audible_seconds); !set) return set;
    return alive;
}

Result<void> await_quiet_interface(const State& state, const Options& options) {
    return await_quiet(state.interface, options, [&state]() -> Result<std::uint64_t> {
        const auto before = received_bytes(state.interface, state.before.peers);
        if (!before) return before;
        const auto after = received_bytes(state.interface, state.after.peers);
        if (!after) return after;
        return *before + *after; // a peer that keeps its key counts twice, which does no harm
    });
}

Result<void> await_quiet_second(const State& state, const Options& options) {
    if (state.second.peers.empty()) return {};
    return await_quiet(state.second_name, options,
                       [&state] { return received_bytes(state.second_name, state.second.peers); });
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
    if (*known) {
        if ((*known)->phase != Phase::returned)
            if (auto up = bring_up_second(**known); !up) return up.error();
        return offer_of(**known);
    }
    const auto present = read_device(file.interface);
    if (!present) return present.error();
    if (auto same = check_key(file, config, *present); !same) return same.error();
    auto state = begin(*present, file, options);
    if (!state) return state.error();
    if (auto begun = begin_second(*state, options); !begun) return begun.error();
    if (options.warn)
        if (const auto doubt = doubt_firewall(*state, present->listen_port)) options.warn(*doubt);
    return offer_of(*state);
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
    const auto loaded = load(interface, options.state_folder);
    if (!loaded) return loaded.error();
    if (!*loaded) return {}; // a run that was killed has done all of it
    const State* state = &**loaded;
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

Result<void> run(const std::string& interface, const Options& options) {
    // Nobody else sees to it that the other ends are done: they must have had time to be heard.
    Options patient = options;
    patient.quiet = std::max<std::chrono::milliseconds>(patient.quiet,
                                                        std::chrono::seconds(audible_seconds + 1));
    for (const auto step : {switch_over, rekey, give_back, finish})
        if (auto done = step(interface, patient); !done) return done;
    return {};
}

Result<std::optional<Status>> status(const std::string& interface, const Options& options) {
    const auto loaded = load(interface, options.state_folder);
    if (!loaded) return loaded.error();
    if (!*loaded) return std::optional<Status>();
    const State& state = **loaded;
    Status out;
    out.phase = state.phase;
    out.going_back = state.going_back;
    out.second = state.second_name;
    out.current = public_key(*state.before.private_key);
    out.next = public_key(*state.after.private_key);
    const auto first = read_device(interface);
    if (!first) return first.error();
    out.left_behind = left_behind(state, *first);
    const auto there = is_link(state.second_name);
    if (!there) return there.error();
    out.second_is_there = *there;
    Device second;
    if (*there) {
        auto read = read_device(state.second_name);
        if (!read) return read.error();
        second = *std::move(read);
        const auto routes = count_routes(state);
        if (!routes) return routes.error();
        out.routes = *routes;
    }
    const auto handshake = [](const Device& device, const PublicKey& key) {
        for (const auto& peer : device.peers)
            if (peer.public_key == key) return peer.last_handshake_seconds;
        return std::int64_t{0};
    };
    for (std::size_t i = 0; i < state.before.peers.size(); ++i) {
        PeerStatus peer{state.before.peers[i].public_key, state.after.peers[i].public_key};
        peer.interface_handshake =
            std::max(handshake(*first, peer.current), handshake(*first, peer.next));
        peer.second_handshake = handshake(second, state.second.peers[i].public_key);
        out.peers.push_back(peer);
    }
    return std::optional<Status>(std::move(out));
}

} // namespace wgkit::rotate
