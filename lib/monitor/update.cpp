#include <algorithm>

#include "monitor/judge.hpp"
#include "monitor/limits.hpp"
#include "monitor/silence.hpp"

namespace wgkit::monitor {

namespace {

/// What happened between two looks.
struct Step {
    const Look& a;
    const Look& b;
    std::uint64_t in;
    std::uint64_t out;
    bool rekeyed; ///< a handshake was completed

    milliseconds took() const { return b.t - a.t; }
};

/// Initiations among messages of a living session, at least: data and keepalives are multiples of
/// 16 bytes, an initiation is 4 more. Only short sums tell, because full packets end anywhere.
std::uint64_t initiations_among(std::uint64_t bytes) {
    constexpr std::uint64_t surely_without_full_packets = 1280;
    if (bytes % 4 != 0 || bytes >= surely_without_full_packets) return 0;
    const std::uint64_t count = bytes % engine::padding_multiple / 4;
    return count * initiation_bytes <= bytes ? count : 0;
}

void count_handshakes(Silence& silence, const Step& step) {
    const std::uint64_t answered = step.in / initiation_bytes;
    const std::uint64_t answers = answered * response_bytes;
    silence.unconfirmed += static_cast<std::uint32_t>(answered);
    if (step.out > answers)
        silence.initiations += static_cast<std::uint32_t>((step.out - answers) / initiation_bytes);
}

void count_unanswered(PeerState& state, const Step& step) {
    Silence& silence = state.silence;
    const std::uint64_t initiations = initiations_among(step.out);
    const milliseconds age = step.b.t - state.handshake_at;
    silence.initiations += static_cast<std::uint32_t>(initiations);
    // So young a session is renewed for one reason only: data was unanswered for 15 s.
    if (initiations > 0 && age < rekey_after - clock_slack) silence.early = true;
    const std::uint64_t nothing = nothing_asked(state, step.took());
    const std::uint64_t data = step.out - initiations * initiation_bytes;
    if (data <= nothing) return;
    if (silence.asked == milliseconds{}) silence.asked = step.b.t;
    if (age > reject_after + answer_due + age_slack && data > nothing + initiation_bytes)
        silence.overdue = true;
}

/// The peer's keepalives in a step that holds nothing else, but for our own and one handshake.
std::optional<std::uint64_t> only_keepalives(const PeerState& state, const Step& step) {
    if (state.cadence.last_data == step.a.t) return std::nullopt; // these may be answers to data
    const std::uint64_t own = own_keepalives(state, step.took());
    const auto without = [&](std::uint64_t in, std::uint64_t out) -> std::optional<std::uint64_t> {
        if (step.in < in || step.out < out || step.out - out > own) return std::nullopt;
        if ((step.in - in) % keepalive_bytes != 0 || (step.out - out) % keepalive_bytes != 0)
            return std::nullopt;
        return (step.in - in) / keepalive_bytes;
    };
    if (!step.rekeyed) return without(0, 0);
    const auto as_responder = without(initiation_bytes, response_bytes);
    return as_responder ? as_responder : without(response_bytes, initiation_bytes);
}

void learn_cadence(PeerState& state, const Step& step) {
    Cadence& cadence = state.cadence;
    const auto keepalives = only_keepalives(state, step);
    if (!keepalives && step.out > 0) cadence.last_data = step.b.t;
    cadence.pure = cadence.pure && keepalives;
    if (step.in == 0) return;
    const milliseconds gap = step.b.t - cadence.last_rx;
    // Surely silent it was only until the look before this one.
    const milliseconds silent = step.a.t - cadence.last_rx;
    if (const auto interval = cadence.interval(); interval && silent > 3 * *interval + lost_margin)
        cadence = {.last_data = cadence.last_data}; // it came back: learn anew
    if (cadence.pure && keepalives && seconds(*keepalives) <= gap) {
        cadence.count += static_cast<std::uint32_t>(*keepalives);
        cadence.during += gap;
        if (cadence.count > 64) {
            cadence.count /= 2;
            cadence.during /= 2;
        }
    }
    cadence.last_rx = step.b.t;
    cadence.pure = true;
}

/// Initiations of the peer, if the step received nothing else. They show that its way to here is
/// open, and answer nothing that was sent. Data may have the length of four.
std::uint64_t only_initiations(const Step& step) {
    const bool fits = step.in % initiation_bytes == 0 && step.in % engine::padding_multiple != 0;
    return fits && !step.rekeyed ? step.in / initiation_bytes : 0;
}

void advance(PeerState& state, const Step& step) {
    // A completed handshake adds to both counters, where handshakes are counted.
    if (step.rekeyed && (step.in < response_bytes || step.out < response_bytes))
        state.uncounted = true;
    const std::uint64_t asked_by_peer = only_initiations(step);
    const bool heard =
        step.rekeyed || (step.in > 0 && asked_by_peer == 0 && !had_no_session(state, step.a.t));
    if (heard || (state.uncounted && step.in > 0)) {
        state.silence = {.since = step.b.t};
        learn_cadence(state, step);
    } else if (had_no_session(state, step.a.t)) {
        count_handshakes(state.silence, step);
    } else if (asked_by_peer > 0) {
        const std::uint64_t answers = asked_by_peer * response_bytes;
        state.silence.unconfirmed += static_cast<std::uint32_t>(asked_by_peer);
        if (step.out >= answers)
            count_unanswered(state, {step.a, step.b, 0, step.out - answers, false});
    } else {
        count_unanswered(state, step);
        learn_cadence(state, step);
    }
    if (step.out > 0) state.silence.last_sent = step.b.t;
}

/// The handshake since 1970. Some engines tell how long ago it was, and nothing once it has
/// expired.
std::int64_t handshake_of(PeerState& state, const PeerSample& sample, milliseconds wall) {
    const auto now = std::chrono::duration_cast<seconds>(wall).count();
    if (sample.handshake > 0 && sample.handshake < elapsed_below) {
        state.elapsed = state.uncounted = true; // both are ways of the same family of engines
        return now - sample.handshake;
    }
    const bool expired = sample.handshake == 0 && state.elapsed && !state.looks.empty();
    return expired ? state.looks.back().handshake : sample.handshake;
}

bool is_new_handshake(const PeerState& state, std::int64_t before, std::int64_t now) {
    if (now == before || now == 0) return false;
    return !state.elapsed || now - before > 2; // elapsed seconds are rounded
}

void remember_handshake(PeerState& state, const Look& now, milliseconds wall) {
    if (now.handshake == 0) {
        state.handshake_at = milliseconds{};
        return;
    }
    const milliseconds age = wall - seconds(now.handshake);
    state.handshake_at = now.t - std::max(age, milliseconds{});
}

/// The first look, or the first after which everything before it is void.
void begin(PeerState& state, const Look& now, milliseconds wall) {
    state.looks = {now};
    state.silence = {.since = now.t};
    state.cadence.last_rx = now.t;
    state.cadence.pure = true;
    remember_handshake(state, now, wall);
}

void conclude(PeerState& state, const Judgement& judgement, milliseconds t) {
    state.bad_runs = judgement.level == Level::ok ? 0 : state.bad_runs + 1;
    const bool is_trouble = state.bad_runs >= state.rule.bad_runs;
    const Level level = is_trouble ? judgement.level : Level::ok;
    if (state.verdict != judgement.verdict || state.since == milliseconds{}) state.since = t;
    if ((state.level != Level::ok) != (level != Level::ok)) {
        if (state.turns.size() == max_looks) state.turns.erase(state.turns.begin());
        state.turns.push_back(t);
    }
    state.verdict = judgement.verdict;
    state.cause = judgement.cause;
    state.level = level;
}

} // namespace

std::optional<milliseconds> Cadence::interval() const {
    constexpr std::uint32_t enough = 5;
    if (count < enough) return std::nullopt;
    return during / count;
}

PeerState update(PeerState state, const PeerSample& sample, milliseconds t, milliseconds wall,
                 const Rule& rule, bool resumed) {
    state.key = sample.key;
    state.endpoint = sample.endpoint;
    state.allowed_ips = sample.allowed_ips;
    state.keepalive = sample.keepalive;
    state.rule = rule;
    state.psk = sample.psk;
    state.probe = sample.probe;
    const Look now{t, handshake_of(state, sample, wall), sample.rx, sample.tx};
    if (state.looks.empty() || resumed) {
        begin(state, now, wall);
        conclude(state, judge(state, now, wall, rule), t);
        return state;
    }
    const Look last = state.looks.back();
    if (now.rx < last.rx || now.tx < last.tx || (now.handshake == 0 && last.handshake != 0)) {
        state.cadence = {};
        state.uncounted = state.elapsed = false;
        begin(state, now, wall);
        conclude(state, {Verdict::reset, Cause::counters_fell, Level::ok}, t);
        return state;
    }
    const bool rekeyed = is_new_handshake(state, last.handshake, now.handshake);
    const Step step{last, now, now.rx - last.rx, now.tx - last.tx, rekeyed};
    if (step.took() < min_step) {
        PeerState trial = state;
        advance(trial, step);
        if (rekeyed) remember_handshake(trial, now, wall);
        const Judgement judgement = judge(trial, now, wall, rule);
        // Trouble that shows in counters waits for a look that counts; an age does not.
        const bool is_of_counters = judgement.verdict == Verdict::unreachable
                                    || judgement.verdict == Verdict::lost
                                    || judgement.verdict == Verdict::mute;
        if (!is_of_counters || judgement.level <= state.level) conclude(state, judgement, t);
        return state;
    }
    advance(state, step);
    if (rekeyed) remember_handshake(state, now, wall);
    if (state.looks.size() == max_looks) state.looks.erase(state.looks.begin());
    state.looks.push_back(now);
    if (state.elapsed && !rekeyed) state.looks.back().handshake = last.handshake;
    conclude(state, judge(state, now, wall, rule), t);
    return state;
}

} // namespace wgkit::monitor
