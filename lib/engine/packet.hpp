#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "engine/address_bits.hpp"
#include "engine/bytes.hpp"
#include "wgkit/ip.hpp"

/// Inner packets as offsets into bytes: nothing is cast, so alignment and byte order never matter.
/// All but `inner_length` ask for a packet that it has accepted.
namespace wgkit::engine {

template <typename Number>
Number load_be(const std::uint8_t* p) {
    Number value = 0;
    std::memcpy(&value, p, sizeof value);
    if constexpr (std::endian::native == std::endian::little) {
        if constexpr (sizeof value == 2)
            value = __builtin_bswap16(value);
        else if constexpr (sizeof value == 4)
            value = __builtin_bswap32(value);
        else
            value = __builtin_bswap64(value);
    }
    return value;
}
inline std::uint16_t load_be16(const std::uint8_t* p) { return load_be<std::uint16_t>(p); }
inline std::uint32_t load_be32(const std::uint8_t* p) { return load_be<std::uint32_t>(p); }
inline std::uint64_t load_be64(const std::uint8_t* p) { return load_be<std::uint64_t>(p); }

/// Takes any number, of which the lower bits are stored.
inline void store_be16(std::uint8_t* p, std::size_t value) {
    p[0] = static_cast<std::uint8_t>(value >> 8);
    p[1] = static_cast<std::uint8_t>(value);
}
inline void store_be32(std::uint8_t* p, std::uint32_t value) {
    store_be16(p, value >> 16);
    store_be16(p + 2, value & 0xffff);
}

/// RFC 791 section 3.1.
namespace ipv4 {
inline constexpr std::size_t version_and_length = 0, tos = 1, total_length = 2, id = 4,
                             fragment = 6, ttl = 8, protocol = 9, checksum = 10, source = 12,
                             destination = 16, header = 20, max_header = 60;
inline constexpr std::uint16_t dont_fragment = 0x4000, more_fragments = 0x2000,
                               fragment_offset = 0x1fff;
} // namespace ipv4

/// RFC 8200 section 3.
namespace ipv6 {
inline constexpr std::size_t flow = 0, payload_length = 4, next_header = 6, hop_limit = 7,
                             source = 8, destination = 24, header = 40;
} // namespace ipv6

/// RFC 9293 section 3.1.
namespace tcp {
inline constexpr std::size_t ports = 0, sequence = 4, acknowledgment = 8, data_offset = 12,
                             flags = 13, window = 14, checksum = 16, urgent = 18, header = 20,
                             max_header = 60;
inline constexpr std::uint8_t fin = 0x01, syn = 0x02, rst = 0x04, psh = 0x08, ack = 0x10,
                              urg = 0x20, ece = 0x40, cwr = 0x80;
} // namespace tcp

/// RFC 768.
namespace udp {
inline constexpr std::size_t ports = 0, length = 4, checksum = 6, header = 8;
} // namespace udp

/// Protocol numbers; those of IPv6 extension headers, too.
namespace protocol {
inline constexpr std::uint8_t hop_by_hop = 0, icmp = 1, tcp = 6, udp = 17, routing = 43,
                              fragment = 44, authentication = 51, icmp_v6 = 58,
                              destination_options = 60, mobility = 135;
} // namespace protocol

/// The packet's length without what pads it, if its header is whole and claims no more bytes than
/// there are.
std::optional<std::size_t> inner_length(Bytes packet);

inline bool is_ipv4(Bytes packet) { return packet[ipv4::version_and_length] >> 4 == 4; }
/// With options.
inline std::size_t ipv4_header_length(const std::uint8_t* packet) {
    return (packet[ipv4::version_and_length] & std::size_t{0xf}) * 4;
}
/// With options.
inline std::size_t tcp_header_length(const std::uint8_t* tcp) {
    return static_cast<std::size_t>(tcp[tcp::data_offset] >> 4) * 4;
}

/// Source or destination in the form in which routes are looked up.
struct PacketAddress {
    AddressBits bits;
    Family family = Family::ipv4;

    bool operator==(const PacketAddress&) const = default;
};
PacketAddress source_of(Bytes packet);
PacketAddress destination_of(Bytes packet);

/// TOS of IPv4, traffic class of IPv6: six bits DSCP and two bits ECN (RFC 3168).
std::uint8_t traffic_class(Bytes packet);

namespace ecn {
inline constexpr std::uint8_t not_ect = 0, ect1 = 1, ect0 = 2, ce = 3, mask = 3;
}

/// The TOS of the packet that carries this one: no DSCP, which would tell what is inside, and the
/// inner ECN bits. "Congestion experienced" becomes ECT(0): it was met before the tunnel (RFC 3168
/// section 9.1.1), as in the kernel.
std::uint8_t outer_ecn(Bytes packet);

/// Tells the inner packet about congestion that the outer one met, if its sender understands ECN.
/// An IPv4 checksum stays as right or wrong as it was.
void decapsulate_ecn(MutableBytes packet, std::uint8_t outer_tos);

} // namespace wgkit::engine
