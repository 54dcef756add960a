#include "monitor/judge.hpp"

#include <algorithm>

#include "engine/constants.hpp"
#include "monitor/limits.hpp"

namespace wgkit::monitor {

namespace {

bool spans(const PeerState& state, milliseconds t) {
    return !state.looks.empty() && t - state.looks.front().t >= min_span;
}

/// What was sent and must have been answered by now, if anything.
std::optional<Cause> unanswered(const PeerState& state, milliseconds t) {
    const Silence& silence = state.silence;
    if (state.uncounted) return std::nullopt;
    if (silence.unconfirmed >= 2) return Cause::unconfirmed;
    if (silence.initiations >= 2 || silence.early) return Cause::initiations;
    const bool is_due = silence.asked != milliseconds{} && t - silence.asked >= answer_due;
    if (is_due || silence.overdue) return Cause::data;
    return std::nullopt;
}

bool is_lost(const PeerState& state, milliseconds t) {
    const auto interval = state.cadence.interval();
    return interval && t - state.cadence.last_rx > 3 * *interval + lost_margin;
}

/// Keepalives are due and nothing was sent for longer than one may take.
bool is_mute(const PeerState& state, const Look& now) {
    if (state.keepalive == 0 || state.uncounted) return false;
    milliseconds frozen_since = now.t;
    for (auto look = state.looks.rbegin(); look != state.looks.rend() && look->tx == now.tx; ++look)
        frozen_since = look->t;
    return now.t - frozen_since
           >= std::max<milliseconds>(min_span, seconds(state.keepalive) + pause_between_tries);
}

} // namespace

seconds healthy_age(std::uint16_t keepalive) {
    if (keepalive == 0) return reject_after;
    const seconds interval(keepalive);
    const auto intervals = (rekey_after + interval - seconds(1)) / interval;
    return std::max(reject_after, intervals * interval);
}

seconds stale_limit(const Rule& rule, std::uint16_t keepalive) {
    const seconds healthy = healthy_age(keepalive);
    if (!rule.max_stale)
        return std::max(reject_after, rekey_after + seconds(keepalive)) + seconds(30);
    if (rule.strict || healthy <= reject_after) return *rule.max_stale;
    return std::max(*rule.max_stale, healthy + seconds(10));
}

seconds stale_limit(const Rule& rule, const PeerState& state) {
    const auto learned = state.cadence.interval();
    if (!learned) return stale_limit(rule, state.keepalive);
    // It was counted at times that have nothing to do with it.
    const auto surely = std::chrono::duration_cast<seconds>(*learned * 11 / 10).count();
    const auto interval = std::min<std::int64_t>(surely, UINT16_MAX);
    return stale_limit(rule, std::max(state.keepalive, static_cast<std::uint16_t>(interval)));
}

bool is_expected_up(const PeerState& state, const Rule& rule) {
    switch (rule.expect) {
    case Expect::up:
        return true;
    case Expect::roaming:
    case Expect::ignore:
        return false;
    case Expect::automatic:
        break;
    }
    return (state.keepalive != 0 && !state.endpoint.empty()) || state.cadence.interval();
}

Level level_of(Verdict verdict, bool expected_up, const Rule& rule) {
    if (rule.expect == Expect::ignore) return Level::ok;
    switch (verdict) {
    case Verdict::up:
    case Verdict::idle:
    case Verdict::reset:
        return Level::ok;
    case Verdict::never:
        return expected_up ? Level::warning : Level::ok;
    case Verdict::mute:
    case Verdict::clock:
        return Level::warning;
    case Verdict::unreachable:
    case Verdict::lost:
    case Verdict::stale:
    case Verdict::no_data:
        break;
    }
    return Level::critical;
}

Judgement judge(const PeerState& state, const Look& now, milliseconds wall, const Rule& rule) {
    const bool expected_up = is_expected_up(state, rule);
    const auto say = [&](Verdict verdict, Cause cause) {
        return Judgement{verdict, cause, level_of(verdict, expected_up, rule)};
    };
    const auto up = [&](Cause cause) {
        return state.probe == Probe::unanswered ? say(Verdict::no_data, Cause::probe_unanswered)
                                                : say(Verdict::up, cause);
    };
    const milliseconds age = now.t - state.handshake_at;
    const bool is_never = state.handshake_at == milliseconds{};
    const milliseconds limit = stale_limit(rule, state);
    if (rule.strict)
        return is_never || age > limit ? say(Verdict::stale, Cause::too_old)
                                       : say(Verdict::up, Cause::fresh);
    if (seconds(now.handshake) > wall + clock_slack)
        return say(Verdict::clock, Cause::from_the_future);
    const bool can_tell = spans(state, now.t);
    if (is_never) {
        const bool asked = can_tell && state.silence.initiations >= 2;
        const bool unconfirmed = can_tell && state.silence.unconfirmed >= 2;
        return say(Verdict::never, unconfirmed ? Cause::unconfirmed
                                   : asked     ? Cause::asked_in_vain
                                               : Cause::no_handshake);
    }
    if (can_tell) {
        // A roaming peer that went away is not waited for once nobody asks for it any more.
        const bool is_asked = expected_up || now.t - state.silence.last_sent <= forget_after;
        if (const auto cause = unanswered(state, now.t); cause && is_asked)
            return say(Verdict::unreachable, *cause);
        if (is_lost(state, now.t)) return say(Verdict::lost, Cause::cadence);
    }
    if (age <= limit) return up(Cause::fresh);
    if (state.uncounted && now.t - state.cadence.last_rx <= limit) return up(Cause::receiving);
    if (!expected_up) return say(Verdict::idle, Cause::quiet);
    if (can_tell && is_mute(state, now)) return say(Verdict::mute, Cause::nothing_sent);
    return say(Verdict::stale, Cause::too_old);
}

} // namespace wgkit::monitor
