#pragma once

#include <chrono>

namespace wgkit::engine {

/// Time since boot, sleep included (CLOCK_BOOTTIME), so that sessions age while a machine sleeps.
/// Has no now(): the core is told the time, only the loop reads it.
struct BootClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;
};

using Instant = BootClock::time_point;
inline constexpr Instant never = Instant::max();

/// The two times that the protocol needs: boot time for everything but what others see.
struct Now {
    Instant boot;
    std::chrono::system_clock::time_point wall; ///< for TAI64N and the time of the last handshake
};

} // namespace wgkit::engine
