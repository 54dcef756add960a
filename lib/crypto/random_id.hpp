#pragma once

#include <sodium.h>

#include <array>
#include <string>

namespace wgkit::crypto {

/// 128 random bits in lower-case hexadecimal: 32 characters.
inline std::string random_id() {
    std::array<unsigned char, 16> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    std::string text(2 * bytes.size() + 1, '\0'); // which ends with a zero
    sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
    text.pop_back();
    return text;
}

} // namespace wgkit::crypto
