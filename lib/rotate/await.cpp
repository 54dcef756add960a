#include "rotate/await.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_map>

#include "rotate/exchange.hpp"
#include "rotate/second_device.hpp"

namespace wgkit::rotate {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto look_pause = std::chrono::milliseconds(50);

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
        if (!options.pause)
            std::this_thread::sleep_for(look_pause);
        else if (!options.pause(look_pause))
            return **seen;
    }
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

} // namespace

std::string names_of(const std::vector<PublicKey>& keys) {
    constexpr std::size_t most = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(keys.size(), most); ++i)
        text += (i == 0 ? "" : ", ") + to_string(keys[i]);
    if (keys.size() > most) text += fmt::format(" and {} more", keys.size() - most);
    return text;
}

Result<void> await_sessions(const State& state, const std::string& device,
                            const std::vector<WantedPeer>& peers, const Options& options) {
    if (!options.wait) return {};
    const auto look = [&]() -> Result<std::optional<Error>> {
        const auto silent = peers_without_session(device, peers);
        if (!silent) return silent.error();
        if (silent->empty()) return std::optional<Error>();
        return std::optional<Error>(Error{
            Errc::conflict, fmt::format("no handshake on {} with {}", device, names_of(*silent)),
            device == state.second_name
                ? fmt::format("has that end accepted this end's offer, and does UDP port {} "
                              "reach one of both",
                              state.second.listen_port.value_or(0))
                : std::string("has that end got its new keys (rekey)")});
    };
    return wait_until(options, fmt::format("waiting for handshakes on {}", device), look);
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
                  fmt::format("nothing comes in on {} from {}", state.interface, names_of(silent)),
                  "has that end been told to go back, too (abort, then run)"});
    };
    auto alive = wait_until(options, fmt::format("waiting for life on {}", state.interface), look);
    if (auto set = set_keepalive(state.interface, peers, audible_seconds); !set) return set;
    return alive;
}

} // namespace wgkit::rotate
