#pragma once

#include "wgkit/monitor.hpp"

namespace wgkit::monitor {

/// The verdict on a state whose last look is `now`; `told` is its handshake by the wall clock.
Judgement judge(const PeerState& state, const Look& now, milliseconds wall, const Rule& rule);

/// How bad a verdict is for a peer of which that is expected.
Level level_of(Verdict verdict, bool expected_up, const Rule& rule);

} // namespace wgkit::monitor
