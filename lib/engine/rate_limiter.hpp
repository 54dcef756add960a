#pragma once

#include <unordered_map>

#include "engine/clock.hpp"
#include "engine/source_hash.hpp"

namespace wgkit::engine {

/// Bounds the handshakes of one source: 20 a second with bursts of 5, for an IPv4 address or an
/// IPv6 /64. Source: kernel ratelimiter.c, which has the same numbers.
class RateLimiter {
  public:
    [[nodiscard]] bool allow(const IpAddress& from, Instant now);
    std::size_t size() const { return buckets_.size(); }

  private:
    using Time = std::chrono::nanoseconds;
    static constexpr Time cost = Time(std::chrono::seconds(1)) / 20;
    static constexpr Time burst = cost * 5;
    static constexpr std::size_t most_buckets = 8192;
    static constexpr auto forget_after = std::chrono::seconds(1); ///< by then a bucket is full

    struct Bucket {
        Time credit = burst;
        Instant last;
    };
    void forget_idle(Instant now);

    std::unordered_map<AddressBits, Bucket, SourceHash> buckets_;
    Instant next_cleaning_{};
};

} // namespace wgkit::engine
