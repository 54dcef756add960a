#pragma once

#include <unordered_map>

#include "engine/allowed_ips.hpp"
#include "engine/clock.hpp"

namespace wgkit::engine {

/// Bounds how often one source is served: an IPv4 address or an IPv6 /64 (a customer's usual
/// share).
class RateLimiter {
  public:
    /// What happens to new sources when there are too many to keep.
    enum class Full : std::uint8_t { refuse, allow };

    RateLimiter(unsigned per_second, unsigned burst, Full full)
        : cost_(Time(std::chrono::seconds(1)) / per_second), burst_(cost_ * burst), full_(full) {}

    [[nodiscard]] bool allow(const IpAddress& from, Instant now);
    std::size_t size() const { return buckets_.size(); }

  private:
    using Time = std::chrono::nanoseconds;
    static constexpr std::size_t most_buckets = 8192;
    static constexpr auto forget_after = std::chrono::seconds(1); ///< by then a bucket is full

    struct Bucket {
        Time credit{};
        Instant last;
    };
    struct HashBits {
        std::size_t operator()(const AddressBits& bits) const noexcept {
            return std::hash<std::uint64_t>{}(bits.high ^ (bits.high >> 29));
        }
    };
    void forget_idle(Instant now);

    Time cost_;
    Time burst_;
    Full full_;
    std::unordered_map<AddressBits, Bucket, HashBits> buckets_;
    Instant next_cleaning_{};
};

} // namespace wgkit::engine
