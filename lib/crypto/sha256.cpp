#include "crypto/sha256.hpp"

#include <openssl/evp.h>

#include <new>

namespace wgkit::crypto {

Digest sha256(std::string_view text) {
    Digest digest;
    if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1)
        throw std::bad_alloc();
    return digest;
}

std::string to_hex(const Digest& digest) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const auto byte : digest) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

} // namespace wgkit::crypto
