#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace wgkit::crypto {

using Digest = std::array<std::uint8_t, 32>;

/// SHA-256 (FIPS 180-4) of a whole text.
Digest sha256(std::string_view text);
std::string to_hex(const Digest& digest);
/// Both.
inline std::string sha256_hex(std::string_view text) { return to_hex(sha256(text)); }

} // namespace wgkit::crypto
