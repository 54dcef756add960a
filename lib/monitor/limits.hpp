#pragma once

#include "engine/constants.hpp"
#include "engine/messages.hpp"
#include "wgkit/monitor.hpp"

/// What the protocol's numbers mean for somebody who sees only counters.
namespace wgkit::monitor {

inline constexpr seconds rekey_after = engine::rekey_after_time;
inline constexpr seconds reject_after = engine::reject_after_time;
/// Stamps have whole seconds, and engines a little patience.
inline constexpr seconds age_slack{5};
/// An answer to data comes within 10 s, if only as a keepalive; after 15 s the engine itself asks
/// for a new handshake.
inline constexpr milliseconds answer_due = engine::keepalive_timeout + engine::rekey_timeout;
/// How long a peer that need not be up is called unreachable after the last byte sent to it.
inline constexpr seconds forget_after{200};
/// Beside three intervals of a peer's keepalive.
inline constexpr seconds lost_margin{10};
/// Engines give up after 20 tries and begin again with the next keepalive.
inline constexpr seconds pause_between_tries{5};
/// How far a handshake may be ahead of the clock: stamps are rounded.
inline constexpr seconds clock_slack{2};
/// A handshake "time" below it is elapsed seconds: the year 2001 is before WireGuard.
inline constexpr std::int64_t elapsed_below = 1'000'000'000;

inline constexpr std::uint64_t initiation_bytes = engine::initiation::size;
inline constexpr std::uint64_t response_bytes = engine::response::size;
inline constexpr std::uint64_t keepalive_bytes = engine::data::overhead;

} // namespace wgkit::monitor
