#pragma once

#include <cstdint>
#include <vector>

#include "engine/clock.hpp"
#include "engine/constants.hpp"
#include "engine/source_hash.hpp"

namespace wgkit::engine {

/// Counts how often sources asked lately, in fixed memory and without believing them: under a flood
/// with forged addresses there may be as many sources as packets. Sources that share a counter are
/// counted together, which a keyed hash keeps from being arranged.
class SourceSketch {
  public:
    /// Whether the source has asked fewer than `most` times in this window; counts it.
    [[nodiscard]] bool allow(const IpAddress& from, unsigned most, Instant now) {
        if (now >= window_end_) begin_window(now);
        std::uint8_t& count = counts_[hash_(source_of(from)) % counters];
        if (count >= most) return false;
        ++count;
        ++allowed_;
        return true;
    }

    /// How often that was so in this window.
    std::size_t allowed() const { return allowed_; }

  private:
    static constexpr std::size_t counters = std::size_t{1} << 20;
    /// An initiator asks twice in it at most.
    static constexpr auto window = rekey_timeout + std::chrono::seconds(1);

    void begin_window(Instant now) {
        counts_.assign(counters, 0); // a megabyte, there only once it was needed
        hash_.renew();
        window_end_ = now + window;
        allowed_ = 0;
    }

    std::vector<std::uint8_t> counts_;
    SourceHash hash_;
    std::size_t allowed_ = 0;
    Instant window_end_{};
};

} // namespace wgkit::engine
