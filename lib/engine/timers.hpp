#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>

#include "engine/clock.hpp"
#include "engine/constants.hpp"

namespace wgkit::engine {

/// What a peer's timers ask for when their time has come.
enum class Timer : std::uint8_t {
    retransmit_handshake,
    send_keepalive,
    new_handshake,
    zero_keys,
    persistent_keepalive,
};

/// The timers of one peer (WireGuard paper, sections 6.2 to 6.5): told of events, they keep
/// deadlines. Nothing here acts; the tunnel asks which timers are due.
class Timers {
  public:
    using Jitter = std::minstd_rand;

    /// Units: whole seconds; 0 is off.
    std::chrono::seconds persistent_interval{0};
    unsigned attempts = 0;

    void data_sent(Instant now, Jitter& jitter) {
        if (at(Timer::new_handshake) == never)
            at(Timer::new_handshake) = now + keepalive_timeout + rekey_timeout + some(jitter);
    }
    void data_received(Instant now) {
        if (at(Timer::send_keepalive) == never)
            at(Timer::send_keepalive) = now + keepalive_timeout;
        else
            another_keepalive_ = true;
    }
    void any_authenticated_sent() { at(Timer::send_keepalive) = never; }
    void any_authenticated_received() { at(Timer::new_handshake) = never; }
    void any_authenticated_traversal(Instant now) {
        if (persistent_interval > 0s) at(Timer::persistent_keepalive) = now + persistent_interval;
    }
    void keep_alive_at(Instant when) { at(Timer::persistent_keepalive) = when; }
    void initiation_sent(Instant now, Jitter& jitter) {
        at(Timer::retransmit_handshake) = now + rekey_timeout + some(jitter);
    }
    void handshake_complete() {
        at(Timer::retransmit_handshake) = never;
        attempts = 0;
    }
    void session_derived(Instant now) { at(Timer::zero_keys) = now + zero_keys_after; }
    /// The handshake was given up: keys go when their time comes, keepalives stop now.
    void given_up(Instant now) {
        at(Timer::send_keepalive) = never;
        if (at(Timer::zero_keys) == never) at(Timer::zero_keys) = now + zero_keys_after;
    }
    /// The keepalive was sent; another one follows if data came meanwhile.
    void keepalive_fired(Instant now) {
        if (!another_keepalive_) return;
        another_keepalive_ = false;
        at(Timer::send_keepalive) = now + keepalive_timeout;
    }
    void set_persistent_interval(std::chrono::seconds interval) {
        persistent_interval = interval;
        if (interval == 0s) at(Timer::persistent_keepalive) = never;
    }
    void stop() {
        due_.fill(never);
        attempts = 0;
        another_keepalive_ = false;
    }

    Instant earliest() const { return *std::min_element(due_.begin(), due_.end()); }
    bool is_pending(Timer timer) const { return due_[index(timer)] != never; }
    /// Whether this timer's time has come; it is off afterwards.
    bool take(Timer timer, Instant now) {
        if (at(timer) > now) return false;
        at(timer) = never;
        return true;
    }

  private:
    static constexpr std::size_t index(Timer timer) { return static_cast<std::size_t>(timer); }
    Instant& at(Timer timer) { return due_[index(timer)]; }
    static std::chrono::nanoseconds some(Jitter& jitter) {
        return std::chrono::nanoseconds(most_jitter) * (jitter() % 1024) / 1024;
    }

    std::array<Instant, 5> due_ = {never, never, never, never, never};
    bool another_keepalive_ = false; ///< data came while a keepalive was already due
};

} // namespace wgkit::engine
