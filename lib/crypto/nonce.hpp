#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace wgkit::crypto {

/// Of ChaCha20-Poly1305 (RFC 8439).
using Nonce = std::array<std::uint8_t, 12>;

/// WireGuard's nonce for a counter: 32 zero bits, then the counter, little endian.
constexpr Nonce nonce_of(std::uint64_t counter) {
    Nonce nonce{};
    for (std::size_t i = 4; i < nonce.size(); ++i, counter >>= 8)
        nonce[i] = static_cast<std::uint8_t>(counter);
    return nonce;
}

} // namespace wgkit::crypto
