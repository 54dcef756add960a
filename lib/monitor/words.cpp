#include <fmt/format.h>

#include <array>

#include "wgkit/monitor.hpp"

namespace wgkit::monitor {

namespace {

constexpr std::array<std::string_view, verdict_count> verdicts{
    "never", "up", "idle", "unreachable", "mute", "lost", "stale", "no-data", "clock", "reset"};
constexpr std::array<std::string_view, 4> levels{"ok", "warning", "critical", "unknown"};
constexpr std::array<std::string_view, 4> expectations{"automatic", "up", "roaming", "ignore"};
constexpr std::array<std::string_view, cause_count> causes{
    "fresh",           "quiet",         "no-handshake",     "asked-in-vain", "unconfirmed",
    "initiations",     "data",          "cadence",          "nothing-sent",  "too-old",
    "from-the-future", "counters-fell", "probe-unanswered", "receiving"};
constexpr std::array<std::string_view, probe_count> probes{"none", "answered", "unanswered"};

std::int64_t whole_seconds(milliseconds time) {
    return std::chrono::duration_cast<seconds>(time).count();
}

} // namespace

std::string_view to_string(Verdict verdict) {
    return verdicts.at(static_cast<std::size_t>(verdict));
}

std::optional<Verdict> parse_verdict(std::string_view word) {
    for (std::size_t i = 0; i < verdicts.size(); ++i)
        if (verdicts.at(i) == word) return static_cast<Verdict>(i);
    return std::nullopt;
}

std::string_view to_string(Level level) { return levels.at(static_cast<std::size_t>(level)); }
std::string_view to_string(Cause cause) { return causes.at(static_cast<std::size_t>(cause)); }
std::string_view to_string(Expect expect) {
    return expectations.at(static_cast<std::size_t>(expect));
}

std::string_view to_string(Probe probe) { return probes.at(static_cast<std::size_t>(probe)); }

std::string reason(const PeerState& peer, milliseconds t, const Rule& rule) {
    const auto age = whole_seconds(t - peer.handshake_at);
    const auto silent = whole_seconds(t - peer.silence.since);
    switch (peer.cause) {
    case Cause::fresh:
        return fmt::format("last handshake {} s ago", age);
    case Cause::quiet:
        return fmt::format("quiet, last handshake {} s ago", age);
    case Cause::no_handshake:
        return "no handshake was ever completed";
    case Cause::asked_in_vain:
        return fmt::format(
            "no handshake was ever completed; at least {} initiations unanswered: path, "
            "endpoint, public key or preshared key",
            peer.silence.initiations);
    case Cause::unconfirmed:
        return fmt::format(
            "{} initiations of the peer were answered and led to no session: the way "
            "back, or different preshared keys",
            peer.silence.unconfirmed);
    case Cause::initiations:
        return fmt::format(
            "nothing received for {} s, at least {} handshake initiation{} unanswered", silent,
            peer.silence.initiations, peer.silence.initiations == 1 ? "" : "s");
    case Cause::data:
        return fmt::format("data sent, nothing received for {} s", silent);
    case Cause::cadence:
        return fmt::format("nothing received for {} s, keepalives came every {} s",
                           whole_seconds(t - peer.cadence.last_rx),
                           whole_seconds(peer.cadence.interval().value_or(milliseconds{})));
    case Cause::nothing_sent:
        return fmt::format(
            "last handshake {} s ago, and nothing is sent although keepalives are due "
            "every {} s: no route, no endpoint, or a firewall of this machine",
            age, peer.keepalive);
    case Cause::too_old:
        return peer.handshake_at == milliseconds{}
                   ? std::string("no handshake was ever completed")
                   : fmt::format("last handshake {} s ago (threshold: {} s)", age,
                                 stale_limit(rule, peer).count());
    case Cause::from_the_future:
        return "the last handshake is in the future: the clock was set back";
    case Cause::counters_fell:
        return "counters began anew";
    case Cause::probe_unanswered:
        return "a session is alive, but the probe was not answered";
    case Cause::receiving:
        return fmt::format("last heard {} s ago", whole_seconds(t - peer.cadence.last_rx));
    }
    return {};
}

} // namespace wgkit::monitor
