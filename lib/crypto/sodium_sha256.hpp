#pragma once

#include <sodium.h>

#include <array>
#include <string>
#include <string_view>

namespace wgkit::crypto {

/// SHA-256 in hexadecimal, of libsodium: for programs that have no other use for libcrypto, whose
/// loading would take longer than the hash.
inline std::string sodium_sha256_hex(std::string_view text) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size());
    std::array<char, 2 * crypto_hash_sha256_BYTES + 1> hex{};
    sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
    return hex.data();
}

} // namespace wgkit::crypto
