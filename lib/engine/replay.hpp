#pragma once

#include <array>
#include <cstdint>

#include "engine/constants.hpp"

namespace wgkit::engine {

/// Which counters of a session were received: a ring of bits that moves by whole words
/// (RFC 6479). Call it only for authenticated messages.
class ReplayWindow {
  public:
    static constexpr std::uint64_t ring_bits = 8192;
    static constexpr std::uint64_t word_bits = 64;
    /// Counters this far behind the newest are still told apart; the newest word may be partly
    /// used.
    static constexpr std::uint64_t size = ring_bits - word_bits;

    /// Marks the counter; false if it was seen before, is too old, or may not be used at all.
    bool accept(std::uint64_t counter) {
        if (counter >= reject_after_messages) return false;
        if (counter > newest_) {
            clear_words_up_to(counter);
            newest_ = counter;
        } else if (newest_ - counter > size) {
            return false;
        }
        std::uint64_t& word = ring_[counter / word_bits % words];
        const std::uint64_t bit = std::uint64_t{1} << (counter % word_bits);
        if ((word & bit) != 0) return false;
        word |= bit;
        return true;
    }

  private:
    static constexpr std::uint64_t words = ring_bits / word_bits;

    void clear_words_up_to(std::uint64_t counter) {
        const std::uint64_t from = newest_ / word_bits;
        const std::uint64_t to = counter / word_bits;
        if (to - from >= words) {
            ring_.fill(0);
            return;
        }
        for (std::uint64_t i = from + 1; i <= to; ++i) ring_[i % words] = 0;
    }

    std::uint64_t newest_ = 0;
    std::array<std::uint64_t, words> ring_{};
};

} // namespace wgkit::engine
