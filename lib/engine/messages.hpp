#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "crypto/packet_cipher.hpp"
#include "engine/bytes.hpp"

/// The four messages on the wire (WireGuard paper, section 5.4), as offsets into bytes: nothing is
/// cast, so alignment and byte order never matter.
namespace wgkit::engine {

/// The first four bytes as a little-endian number: type and three reserved zeros.
enum class MessageType : std::uint32_t { initiation = 1, response = 2, cookie = 3, data = 4 };

inline std::uint32_t load_le32(const std::uint8_t* p) {
    return static_cast<std::uint32_t>(p[0]) | static_cast<std::uint32_t>(p[1]) << 8
           | static_cast<std::uint32_t>(p[2]) << 16 | static_cast<std::uint32_t>(p[3]) << 24;
}
inline std::uint64_t load_le64(const std::uint8_t* p) {
    return load_le32(p) | static_cast<std::uint64_t>(load_le32(p + 4)) << 32;
}
inline void store_le32(std::uint8_t* p, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) p[i] = static_cast<std::uint8_t>(value >> (8 * i));
}
inline void store_le64(std::uint8_t* p, std::uint64_t value) {
    store_le32(p, static_cast<std::uint32_t>(value));
    store_le32(p + 4, static_cast<std::uint32_t>(value >> 32));
}

using crypto::tag_bytes;
inline constexpr std::size_t mac_bytes = 16;
inline constexpr std::size_t timestamp_bytes = 12;

using Mac = std::array<std::uint8_t, mac_bytes>;
using Timestamp = std::array<std::uint8_t, timestamp_bytes>; ///< TAI64N, big endian: sorts as bytes

// Offsets of the fields; each message ends where `size` says.
namespace initiation {
inline constexpr std::size_t sender = 4, ephemeral = 8, static_key = 40, timestamp = 88, mac1 = 116,
                             mac2 = 132, size = 148;
}
namespace response {
inline constexpr std::size_t sender = 4, receiver = 8, ephemeral = 12, empty = 44, mac1 = 60,
                             mac2 = 76, size = 92;
}
namespace cookie_reply {
inline constexpr std::size_t receiver = 4, nonce = 8, cookie = 32, size = 64;
}
namespace data {
inline constexpr std::size_t receiver = 4, counter = 8, packet = 16, overhead = packet + tag_bytes;
}

using Initiation = std::array<std::uint8_t, initiation::size>;
using Response = std::array<std::uint8_t, response::size>;
using CookieReply = std::array<std::uint8_t, cookie_reply::size>;

/// A fixed-size part of a message.
template <std::size_t offset, std::size_t size>
std::span<const std::uint8_t, size> part(Bytes message) {
    return message.subspan(offset).template first<size>();
}
template <std::size_t offset, std::size_t size>
std::span<std::uint8_t, size> part(MutableBytes message) {
    return message.subspan(offset).template first<size>();
}

} // namespace wgkit::engine
