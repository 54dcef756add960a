#pragma once

#include "monitor/limits.hpp"

namespace wgkit::monitor {

/// The most that this side's own keepalives can have added.
inline std::uint64_t own_keepalives(const PeerState& state, milliseconds during) {
    if (state.keepalive == 0) return 0;
    const auto count = during / milliseconds(seconds(state.keepalive)) + 1;
    return keepalive_bytes * static_cast<std::uint64_t>(count);
}

/// What may be sent while nothing asks for an answer: one more keepalive may follow the last that
/// was received.
inline std::uint64_t nothing_asked(const PeerState& state, milliseconds during) {
    return own_keepalives(state, during) + keepalive_bytes;
}

/// By the look at `t` no session can have been alive: all that was sent and received since were
/// handshake messages.
inline bool had_no_session(const PeerState& state, milliseconds t) {
    return state.handshake_at == milliseconds{}
           || t - state.handshake_at > reject_after + age_slack;
}

/// Notes that data has been sent by `t`, a moment after the last look, and nothing was received.
void note_asked(PeerState& state, const PeerSample& sample, milliseconds t);

} // namespace wgkit::monitor
