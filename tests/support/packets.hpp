#pragma once

// IP packets as tests need them, with checksums that are computed as plainly as can be, apart from
// the code under test.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace wgkit::test {

using PacketBytes = std::vector<std::uint8_t>;

/// The packets of a flow differ in a few of these.
struct PacketSpec {
    bool is_v6 = false;
    bool is_udp = false;
    std::uint8_t host = 1; ///< of both addresses: 10.0.0.host to 10.0.1.host
    std::uint16_t source_port = 1000;
    std::uint16_t destination_port = 2000;
    std::uint8_t tos = 0;
    std::uint8_t ttl = 64;
    std::uint16_t id = 0;
    bool dont_fragment = true;
    std::uint32_t flow_label = 0;
    std::uint32_t sequence = 1;
    std::uint32_t acknowledgment = 7;
    std::uint8_t flags = 0x10; ///< ACK
    std::uint16_t window = 500;
    std::uint16_t urgent = 0;
    PacketBytes ip_options = {}; ///< IPv4; a multiple of 4 bytes
    PacketBytes tcp_options = {};
    bool has_checksum = true; ///< UDP
    PacketBytes payload = {};
};

inline void put16(PacketBytes& bytes, std::size_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8));
    bytes.push_back(static_cast<std::uint8_t>(value));
}

inline void set16(std::span<std::uint8_t> bytes, std::size_t offset, std::size_t value) {
    bytes[offset] = static_cast<std::uint8_t>(value >> 8);
    bytes[offset + 1] = static_cast<std::uint8_t>(value);
}

inline std::size_t get16(std::span<const std::uint8_t> bytes, std::size_t offset) {
    return static_cast<std::size_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

/// One's-complement sum, a word at a time.
inline std::uint32_t plain_sum(std::span<const std::uint8_t> bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        sum += i % 2 == 0 ? static_cast<std::uint32_t>(bytes[i] << 8) : bytes[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

inline std::size_t transport_offset(std::span<const std::uint8_t> packet) {
    return packet[0] >> 4 == 4 ? (packet[0] & 0xfU) * 4 : 40;
}

/// Sum of the pseudo-header of a packet without extension headers.
inline std::uint32_t plain_pseudo_sum(std::span<const std::uint8_t> packet) {
    const bool v4 = packet[0] >> 4 == 4;
    const std::size_t length = packet.size() - transport_offset(packet);
    const auto sum = plain_sum(v4 ? packet.subspan(12, 8) : packet.subspan(8, 32));
    const std::uint32_t both =
        sum + (v4 ? packet[9] : packet[6]) + static_cast<std::uint32_t>(length);
    return (both & 0xffff) + (both >> 16);
}

/// Sets lengths and checksums of a packet whose other fields are right.
inline void complete(PacketBytes& packet, bool has_transport_checksum = true) {
    const bool v4 = packet[0] >> 4 == 4;
    const std::size_t transport = transport_offset(packet);
    if (v4) {
        set16(packet, 2, packet.size());
        set16(packet, 10, 0);
        set16(packet, 10, ~plain_sum(std::span(packet).first(transport)));
    } else {
        set16(packet, 4, packet.size() - 40);
    }
    const bool is_udp = packet[v4 ? 9 : 6] == 17;
    const std::size_t field = transport + (is_udp ? 6 : 16);
    if (is_udp) set16(packet, transport + 4, packet.size() - transport);
    set16(packet, field, 0);
    if (!has_transport_checksum) return;
    const auto checksum = static_cast<std::uint16_t>(
        ~plain_sum(std::span(packet).subspan(transport), plain_pseudo_sum(packet)));
    set16(packet, field, is_udp && checksum == 0 ? 0xffff : checksum);
}

/// Whether IPv4 and transport checksums of a packet without extension headers are right.
inline bool has_right_checksums(std::span<const std::uint8_t> packet) {
    const std::size_t transport = transport_offset(packet);
    if (packet[0] >> 4 == 4 && plain_sum(packet.first(transport)) != 0xffff) return false;
    return plain_sum(packet.subspan(transport), plain_pseudo_sum(packet)) == 0xffff;
}

inline PacketBytes make_packet(const PacketSpec& spec) {
    PacketBytes packet;
    const std::uint8_t protocol = spec.is_udp ? 17 : 6;
    if (spec.is_v6) {
        put16(packet, 0x6000U | static_cast<unsigned>(spec.tos << 4) | spec.flow_label >> 16);
        put16(packet, spec.flow_label & 0xffff);
        put16(packet, 0);
        packet.push_back(protocol);
        packet.push_back(spec.ttl);
        for (const bool is_destination : {false, true}) {
            packet.push_back(0xfd);
            packet.insert(packet.end(), 13, 0);
            packet.push_back(is_destination ? 1 : 0);
            packet.push_back(spec.host);
        }
    } else {
        packet.push_back(static_cast<std::uint8_t>(0x45 + spec.ip_options.size() / 4));
        packet.push_back(spec.tos);
        put16(packet, 0);
        put16(packet, spec.id);
        put16(packet, spec.dont_fragment ? 0x4000 : 0);
        packet.push_back(spec.ttl);
        packet.push_back(protocol);
        put16(packet, 0);
        for (const bool is_destination : {false, true}) {
            put16(packet, 0x0a00);
            packet.push_back(is_destination ? 1 : 0);
            packet.push_back(spec.host);
        }
        packet.insert(packet.end(), spec.ip_options.begin(), spec.ip_options.end());
    }
    put16(packet, spec.source_port);
    put16(packet, spec.destination_port);
    if (spec.is_udp) {
        packet.insert(packet.end(), 4, 0);
    } else {
        put16(packet, spec.sequence >> 16);
        put16(packet, spec.sequence & 0xffff);
        put16(packet, spec.acknowledgment >> 16);
        put16(packet, spec.acknowledgment & 0xffff);
        packet.push_back(static_cast<std::uint8_t>((5 + spec.tcp_options.size() / 4) << 4));
        packet.push_back(spec.flags);
        put16(packet, spec.window);
        put16(packet, 0);
        put16(packet, spec.urgent);
        packet.insert(packet.end(), spec.tcp_options.begin(), spec.tcp_options.end());
    }
    packet.insert(packet.end(), spec.payload.begin(), spec.payload.end());
    complete(packet, spec.has_checksum || !spec.is_udp);
    return packet;
}

/// Bytes that differ from each other and from those of another seed.
inline PacketBytes make_payload(std::size_t size, std::uint32_t seed = 1) {
    PacketBytes bytes(size);
    std::uint32_t state = seed * 2654435761U + 1;
    for (auto& byte : bytes) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<std::uint8_t>(state >> 24);
    }
    return bytes;
}

} // namespace wgkit::test
