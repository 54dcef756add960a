#pragma once

#include <memory>
#include <optional>

#include "engine/allowed_ips.hpp"
#include "engine/cookie.hpp"
#include "engine/noise.hpp"
#include "engine/path.hpp"
#include "engine/session.hpp"
#include "engine/staged_queue.hpp"
#include "engine/timer_queue.hpp"
#include "engine/timers.hpp"

namespace wgkit::engine {

/// All that the tunnel keeps of one peer. Plain data: the tunnel acts on it.
class Peer : public TimerSlot, public AllowedIpsOwner {
  public:
    explicit Peer(const PublicKey& key) : public_key(key) {}
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    const PublicKey public_key;
    std::optional<PresharedKey> preshared_key;
    std::optional<Path> path; ///< nothing until it is configured or the peer has spoken

    StaticStatic static_static;
    std::optional<Initiator> initiator; ///< a handshake of ours that waits for its response
    CookieJar cookies;
    Timestamp newest_timestamp{}; ///< of all initiations accepted, across sessions
    /// Of our newest initiation: later ones say more, also if the clock was set back.
    std::chrono::system_clock::time_point newest_sent{};
    Instant last_consumed = Instant::min();       ///< initiation of the peer
    Instant last_sent_handshake = Instant::min(); ///< message of ours

    // Section 6.2 and kernel noise.c: `next` is a responder's until the initiator has used it.
    std::unique_ptr<Session> previous;
    std::unique_ptr<Session> current;
    std::unique_ptr<Session> next;

    StagedQueue staged;
    Timers timers;
    bool sent_last_minute_handshake = false;

    std::chrono::system_clock::time_point last_handshake{}; ///< the epoch: never
    std::uint64_t sent_bytes = 0; ///< whole messages, as `wg show` counts them
    std::uint64_t received_bytes = 0;
};

} // namespace wgkit::engine
