#include "engine/rate_limiter.hpp"

#include <algorithm>

namespace wgkit::engine {

bool RateLimiter::allow(const IpAddress& from, Instant now) {
    if (now >= next_cleaning_) forget_idle(now);
    // IPv4 uses only the first 32 bits, so that both families share the table; a real IPv6 prefix
    // never begins like a left-aligned IPv4 address followed by zeros, and would only share its
    // rate.
    const AddressBits source = AddressBits::of(from).first(64);
    auto found = buckets_.find(source);
    if (found == buckets_.end()) {
        if (buckets_.size() >= most_buckets) return false;
        found = buckets_.emplace(source, Bucket{burst, now}).first;
    }
    Bucket& bucket = found->second;
    bucket.credit = std::min(burst, bucket.credit + (now - bucket.last));
    bucket.last = now;
    if (bucket.credit < cost) return false;
    bucket.credit -= cost;
    return true;
}

void RateLimiter::forget_idle(Instant now) {
    std::erase_if(buckets_,
                  [now](const auto& entry) { return now - entry.second.last > forget_after; });
    next_cleaning_ = now + forget_after;
}

} // namespace wgkit::engine
