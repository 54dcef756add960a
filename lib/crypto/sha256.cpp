// The functions below EVP: those of EVP first load a configuration file and set up a provider,
// which takes a millisecond, longer than hashing a small fleet.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/sha256.hpp"

#include <openssl/sha.h>

#include <new>

namespace wgkit::crypto {

Digest sha256(std::string_view text) {
    Digest digest;
    SHA256_CTX context;
    if (SHA256_Init(&context) != 1 || SHA256_Update(&context, text.data(), text.size()) != 1
        || SHA256_Final(digest.data(), &context) != 1)
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
