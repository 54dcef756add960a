#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wgkit::engine {

/// A counter and the name under which it is reported.
template <class T>
struct Counted {
    std::string_view name;
    std::uint64_t T::*field;
};

/// What happened in the tunnel since its start. Units: messages or packets.
struct Counters {
    // Handshakes
    std::uint64_t initiations_sent = 0;
    std::uint64_t initiations_received = 0;
    std::uint64_t responses_sent = 0;
    std::uint64_t responses_received = 0;
    std::uint64_t cookies_sent = 0;
    std::uint64_t cookies_received = 0;
    std::uint64_t handshakes_completed = 0;
    std::uint64_t handshakes_given_up = 0;
    // Data
    std::uint64_t packets_sent = 0;
    std::uint64_t packets_received = 0;
    std::uint64_t keepalives_sent = 0;
    std::uint64_t keepalives_received = 0;
    // Dropped on the way out
    std::uint64_t no_peer = 0;        ///< no allowed IPs hold the destination
    std::uint64_t no_endpoint = 0;    ///< the peer's address is not known
    std::uint64_t routing_loops = 0;  ///< a message of ours, routed into the tunnel that it is from
    std::uint64_t staged_dropped = 0; ///< waited for a session and had to go
    std::uint64_t send_full = 0;      ///< no space left in the batch
    // Dropped on the way in
    std::uint64_t malformed = 0;     ///< no message of WireGuard
    std::uint64_t bad_mac1 = 0;      ///< not meant for us
    std::uint64_t bad_handshake = 0; ///< forged, replayed, or from a stranger
    std::uint64_t rate_limited = 0;  ///< too many handshakes from one source
    std::uint64_t queue_full = 0;    ///< handshakes came faster than they could be answered
    std::uint64_t unknown_index = 0; ///< for a session that is gone
    std::uint64_t expired_session = 0;
    std::uint64_t bad_tag = 0; ///< forged or damaged data
    std::uint64_t replayed = 0;
    std::uint64_t bad_packet = 0;   ///< authentic, but holds no valid IP packet
    std::uint64_t wrong_source = 0; ///< its source is not among the peer's allowed IPs
};

inline constexpr std::array tunnel_counters{
    Counted<Counters>{"initiations_sent", &Counters::initiations_sent},
    Counted<Counters>{"initiations_received", &Counters::initiations_received},
    Counted<Counters>{"responses_sent", &Counters::responses_sent},
    Counted<Counters>{"responses_received", &Counters::responses_received},
    Counted<Counters>{"cookies_sent", &Counters::cookies_sent},
    Counted<Counters>{"cookies_received", &Counters::cookies_received},
    Counted<Counters>{"handshakes_completed", &Counters::handshakes_completed},
    Counted<Counters>{"handshakes_given_up", &Counters::handshakes_given_up},
    Counted<Counters>{"packets_sent", &Counters::packets_sent},
    Counted<Counters>{"packets_received", &Counters::packets_received},
    Counted<Counters>{"keepalives_sent", &Counters::keepalives_sent},
    Counted<Counters>{"keepalives_received", &Counters::keepalives_received},
    Counted<Counters>{"no_peer", &Counters::no_peer},
    Counted<Counters>{"no_endpoint", &Counters::no_endpoint},
    Counted<Counters>{"routing_loops", &Counters::routing_loops},
    Counted<Counters>{"staged_dropped", &Counters::staged_dropped},
    Counted<Counters>{"send_full", &Counters::send_full},
    Counted<Counters>{"malformed", &Counters::malformed},
    Counted<Counters>{"bad_mac1", &Counters::bad_mac1},
    Counted<Counters>{"bad_handshake", &Counters::bad_handshake},
    Counted<Counters>{"rate_limited", &Counters::rate_limited},
    Counted<Counters>{"queue_full", &Counters::queue_full},
    Counted<Counters>{"unknown_index", &Counters::unknown_index},
    Counted<Counters>{"expired_session", &Counters::expired_session},
    Counted<Counters>{"bad_tag", &Counters::bad_tag},
    Counted<Counters>{"replayed", &Counters::replayed},
    Counted<Counters>{"bad_packet", &Counters::bad_packet},
    Counted<Counters>{"wrong_source", &Counters::wrong_source},
};

} // namespace wgkit::engine
