#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "wgkit/keys.hpp"

namespace wgkit {

using KeyBytes = std::array<std::uint8_t, key_bytes>;

/// Reads 64 hexadecimal digits in constant time: how the configuration protocol writes keys.
inline bool read_hex(std::string_view text, KeyBytes& out) {
    std::size_t length = 0;
    return text.size() == 2 * key_bytes
           && sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length,
                             nullptr)
                  == 0
           && length == out.size();
}

/// Adds the 64 digits, in constant time.
inline void append_hex(SecretString& out, std::span<const std::uint8_t, key_bytes> bytes) {
    std::array<char, 2 * key_bytes + 1> hex{};
    sodium_bin2hex(hex.data(), hex.size(), bytes.data(), bytes.size());
    out.append(hex.data());
    wipe(hex.data(), hex.size());
}

} // namespace wgkit
