#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/packet.hpp"

/// The internet checksum (RFC 1071). Sums are one's-complement sums of big-endian 16-bit words, as
/// numbers: they may be added, and are folded at the end.
namespace wgkit::engine {

/// The sum of the words; an odd last byte counts as if a zero followed. At most 0xffff.
std::uint32_t checksum_sum(Bytes bytes);

/// Brings carries back until 16 bits are left.
constexpr std::uint16_t fold(std::uint64_t sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

/// The sum of the addresses, the protocol and the length of a transport header with its payload
/// (RFC 9293 section 3.1, RFC 8200 section 8.1).
std::uint32_t pseudo_header_sum(Bytes packet, std::uint8_t protocol, std::size_t length);

/// The checksum of these bytes, whose own checksum field is zero; 0 if they hold a right one.
inline std::uint16_t internet_checksum(Bytes bytes) {
    return static_cast<std::uint16_t>(~checksum_sum(bytes));
}

/// Whether an IPv4 header without options holds a right checksum. In any byte order (RFC 1071
/// section 2 B), so that it costs next to nothing.
inline bool has_right_header_checksum(const std::uint8_t* packet) {
    std::uint64_t sum = 0;
    for (std::size_t offset = 0; offset < ipv4::header; offset += 4) {
        std::uint32_t words = 0;
        std::memcpy(&words, packet + offset, sizeof words);
        sum += words;
    }
    return fold(sum) == 0xffff;
}

/// The checksum of the transport header that begins at `offset` of an IP packet, and its payload,
/// with the pseudo-header; 0 if the field already holds a right one.
std::uint16_t transport_checksum(Bytes packet, std::size_t offset, std::uint8_t protocol);

/// UDP says "no checksum" with 0, so that a computed 0 is sent as its equal (RFC 768).
constexpr std::uint16_t udp_checksum(std::uint16_t checksum) {
    return checksum == 0 ? std::uint16_t{0xffff} : checksum;
}

} // namespace wgkit::engine
