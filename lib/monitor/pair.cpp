#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "wgkit/monitor_fleet.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::monitor {

namespace {

constexpr std::array<std::string_view, pair_verdict_count> pair_words{
    "connected", "quiet", "keys", "psk", "forth", "back", "cut", "session", "unclear"};

/// What was counted over the last three steps.
struct Flow {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
};

Flow recent(const PeerState& peer) {
    constexpr std::size_t steps = 3;
    if (peer.looks.size() < 2) return {};
    const Look& last = peer.looks.back();
    const Look& first = peer.looks[peer.looks.size() - std::min(peer.looks.size(), steps + 1)];
    return {last.rx - first.rx, last.tx - first.tx};
}

bool is_up(const PeerState& peer) {
    return peer.verdict == Verdict::up || peer.verdict == Verdict::reset;
}

bool is_well(const PeerState& peer) {
    return is_up(peer) || peer.verdict == Verdict::idle
           || (peer.verdict == Verdict::never && peer.cause == Cause::no_handshake);
}

PairVerdict by_counters(const PeerState& a, const PeerState& b) {
    if (is_well(a) && is_well(b))
        return is_up(a) || is_up(b) ? PairVerdict::connected : PairVerdict::quiet;
    const Flow from_a = recent(a), from_b = recent(b);
    const bool forth_is_cut = from_a.out > 0 && from_b.in == 0;
    const bool back_is_cut = from_b.out > 0 && from_a.in == 0;
    if (forth_is_cut && back_is_cut) return PairVerdict::cut;
    if (forth_is_cut) return PairVerdict::forth;
    if (back_is_cut) return PairVerdict::back;
    return from_a.in > 0 && from_b.in > 0 ? PairVerdict::session : PairVerdict::unclear;
}

std::string words(const PairEnd& a, const PairEnd& b, PairVerdict verdict) {
    switch (verdict) {
    case PairVerdict::connected:
        return fmt::format("{} and {} are connected", a.name, b.name);
    case PairVerdict::quiet:
        return fmt::format("{} and {} have nothing to say to each other", a.name, b.name);
    case PairVerdict::keys: {
        const bool at_a = a.peer == nullptr;
        return fmt::format("{0} has no peer with the public key of {1}, which has one for {0}",
                           at_a ? a.name : b.name, at_a ? b.name : a.name);
    }
    case PairVerdict::psk:
        return a.peer->psk.empty() || b.peer->psk.empty()
                   ? fmt::format("only {} has a preshared key for the tunnel with {}",
                                 a.peer->psk.empty() ? b.name : a.name,
                                 a.peer->psk.empty() ? a.name : b.name)
                   : fmt::format("{} and {} have different preshared keys", a.name, b.name);
    case PairVerdict::forth:
        return fmt::format("what {} sends does not arrive at {}: the path, or the endpoint {}",
                           a.name, b.name, a.peer->endpoint.empty() ? "-" : a.peer->endpoint);
    case PairVerdict::back:
        return fmt::format("what {} sends does not arrive at {}: the path, or the endpoint {}",
                           b.name, a.name, b.peer->endpoint.empty() ? "-" : b.peer->endpoint);
    case PairVerdict::cut:
        return fmt::format("nothing arrives between {} and {}, either way", a.name, b.name);
    case PairVerdict::session:
        return fmt::format("packets arrive between {} and {} and lead to no session", a.name,
                           b.name);
    case PairVerdict::unclear:
        break;
    }
    return fmt::format("{} and {} are not connected", a.name, b.name);
}

const PeerState* peer_of(const State& state, const DeviceState& device,
                         const std::optional<PublicKey>& key) {
    if (!key) return nullptr;
    for (const auto& peer : device.peers)
        if (peer.key == *key && is_present(state, peer)) return &peer;
    return nullptr;
}

} // namespace

std::string_view to_string(PairVerdict verdict) {
    return pair_words.at(static_cast<std::size_t>(verdict));
}

PairJudgement judge_pair(const PairEnd& a, const PairEnd& b) {
    const PairVerdict verdict = a.peer == nullptr || b.peer == nullptr ? PairVerdict::keys
                                : a.peer->psk != b.peer->psk           ? PairVerdict::psk
                                                             : by_counters(*a.peer, *b.peer);
    return {a, b, verdict, words(a, b, verdict)};
}

std::vector<PairJudgement> compare(const std::string& name_a, const State& a,
                                   const std::string& name_b, const State& b) {
    std::vector<PairJudgement> found;
    for (const auto& left : a.devices)
        for (const auto& right : b.devices) {
            const PairEnd one{name_a, &left, peer_of(a, left, right.public_key)};
            const PairEnd two{name_b, &right, peer_of(b, right, left.public_key)};
            if (one.peer != nullptr || two.peer != nullptr) found.push_back(judge_pair(one, two));
        }
    if (found.empty())
        found.push_back({{name_a, nullptr, nullptr},
                         {name_b, nullptr, nullptr},
                         PairVerdict::keys,
                         fmt::format("neither {} nor {} has a peer with the other's public key",
                                     name_a, name_b)});
    return found;
}

} // namespace wgkit::monitor
