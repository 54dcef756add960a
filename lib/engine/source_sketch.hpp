#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <vector>

#include "engine/allowed_ips.hpp"
#include "engine/clock.hpp"
#include "engine/constants.hpp"

namespace wgkit::engine {

/// Counts how often sources asked lately, in fixed memory and without believing them: under a flood
/// with forged addresses there may be as many sources as packets. Sources that share a counter are
/// counted together, which a keyed hash keeps from being arranged.
class SourceSketch {
  public:
    /// Whether the source has asked fewer than `most` times in this window; counts it.
    [[nodiscard]] bool allow(const IpAddress& from, unsigned most, Instant now) {
        if (now >= window_end_) begin_window(now);
        std::uint8_t& count = counts_[index_of(from)];
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
        crypto_shorthash_keygen(key_.data());
        window_end_ = now + window;
        allowed_ = 0;
    }
    std::size_t index_of(const IpAddress& from) const {
        const AddressBits source = AddressBits::of(from).first(64); // an IPv6 /64 is one
        std::array<std::uint8_t, crypto_shorthash_BYTES> hash;
        crypto_shorthash(hash.data(), reinterpret_cast<const std::uint8_t*>(&source.high),
                         sizeof source.high, key_.data());
        return (hash[0] | std::size_t{hash[1]} << 8 | std::size_t{hash[2]} << 16) % counters;
    }

    std::vector<std::uint8_t> counts_;
    std::array<std::uint8_t, crypto_shorthash_KEYBYTES> key_{};
    std::size_t allowed_ = 0;
    Instant window_end_{};
};

} // namespace wgkit::engine
