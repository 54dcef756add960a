#pragma once

#include <unordered_map>

#include "engine/allowed_ips.hpp"
#include "engine/clock.hpp"

namespace wgkit::engine {

/// Bounds the handshakes of one source: 20 a second with bursts of 5, for an IPv4 address or an
/// IPv6 /64 (a customer's usual share). Source: kernel ratelimiter.c, which has the same numbers.
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
    struct HashBits {
        std::size_t operator()(const AddressBits& bits) const noexcept {
            return std::hash<std::uint64_t>{}(bits.high ^ (bits.high >> 29));
        }
    };
    void forget_idle(Instant now);

    std::unordered_map<AddressBits, Bucket, HashBits> buckets_;
    Instant next_cleaning_{};
};

} // namespace wgkit::engine
