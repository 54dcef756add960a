#pragma once

#include <sodium.h>

#include <array>
#include <string>
#include <string_view>

namespace wgkit::tool::net {

/// SHA-256 in hexadecimal, as manifests have it. Of libsodium, which is loaded anyway.
inline std::string sha256(std::string_view text) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size());
    std::array<char, 2 * crypto_hash_sha256_BYTES + 1> hex{};
    sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
    return hex.data();
}

} // namespace wgkit::tool::net
