#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "crypto/packet_cipher.hpp"

namespace wgkit::crypto {

/// nullptr if it was not built in or cannot run on this processor.
std::unique_ptr<CipherProvider> ipsec_mb_provider();
std::unique_ptr<CipherProvider> openssl_provider();
std::unique_ptr<CipherProvider> sodium_provider();

using Nonce = std::array<std::uint8_t, 12>;

/// WireGuard's nonce for a counter: 32 zero bits, then the counter, little endian.
constexpr Nonce nonce_of(std::uint64_t counter) {
    Nonce nonce{};
    for (std::size_t i = 4; i < nonce.size(); ++i, counter >>= 8)
        nonce[i] = static_cast<std::uint8_t>(counter);
    return nonce;
}

} // namespace wgkit::crypto
