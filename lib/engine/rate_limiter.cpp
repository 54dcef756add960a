#include "engine/rate_limiter.hpp"

#include <algorithm>

namespace wgkit::engine {

bool RateLimiter::allow(const IpAddress& from, Instant now) {
    if (now >= next_cleaning_) forget_idle(now);
    const AddressBits source = source_of(from);
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
