#pragma once

// Merging and splitting as their callers do it, and the law that holds them together: what was
// merged and split again is what it was.
#include <cstring>
#include <map>
#include <string>

#include "engine/coalescer.hpp"
#include "engine/segmenter.hpp"
#include "support/packets.hpp"

namespace wgkit::test {

/// A super-packet in one piece.
struct WholePacket {
    virtio_net_hdr header{};
    PacketBytes bytes;
    std::size_t segments = 1;
};

/// Splits as the engine does: it pads, reads and then spoils each segment before the next.
/// Shape: at most `most` packets.
inline std::vector<PacketBytes> split(const WholePacket& whole, std::size_t most = 1 << 16) {
    constexpr std::size_t spare = 15;
    PacketBytes buffer = whole.bytes;
    buffer.insert(buffer.end(), spare, 0xaa);
    std::vector<PacketBytes> packets;
    auto segmenter =
        engine::Segmenter::start(whole.header, std::span(buffer).first(whole.bytes.size()));
    if (!segmenter) return packets;
    while (packets.size() < most) {
        const auto segment = segmenter->next();
        if (segment.empty()) break;
        std::uint8_t saved[spare];
        std::uint8_t* end = segment.data() + segment.size();
        std::memcpy(saved, end, spare);
        std::memset(end, 0, spare);
        packets.emplace_back(segment.begin(), segment.end());
        std::memcpy(end, saved, spare);
        std::memset(segment.data(), 0xee, segment.size());
    }
    return packets;
}

inline std::vector<WholePacket> merge(std::vector<PacketBytes>& packets,
                                      const engine::CoalescerOptions& options = {}) {
    engine::Coalescer coalescer(packets.size());
    coalescer.set_options(options);
    for (auto& packet : packets) coalescer.add(packet);
    std::vector<WholePacket> result;
    for (const auto& super : coalescer.finish()) {
        WholePacket whole;
        std::memcpy(&whole.header, super.parts[0].iov_base, sizeof whole.header);
        for (const auto& part : super.parts.subspan(1)) {
            const auto* begin = static_cast<const std::uint8_t*>(part.iov_base);
            whole.bytes.insert(whole.bytes.end(), begin, begin + part.iov_len);
        }
        whole.segments = super.segments;
        result.push_back(std::move(whole));
    }
    return result;
}

/// What the kernel asks of a merged packet; the name of the rule that is broken, or nothing.
inline std::string broken_rule(const WholePacket& whole) {
    const auto& [header, bytes, segments] = whole;
    if (header.gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return segments != 1 || header.flags != 0 ? "a single packet has a plain header" : "";
    if (header.flags != VIRTIO_NET_HDR_F_NEEDS_CSUM) return "merged packets need a checksum";
    if (bytes.size() > 65535) return "65535 bytes at most";
    if (segments < 2) return "a merged packet has several segments";
    const std::size_t transport = transport_offset(bytes);
    const bool is_udp = header.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4;
    const std::size_t header_length =
        transport + (is_udp ? 8 : static_cast<std::size_t>(bytes[transport + 12] >> 4) * 4);
    if (header.csum_start != transport || header.csum_offset != (is_udp ? 6 : 16))
        return "the checksum is where the protocol has it";
    if (header.hdr_len != header_length) return "hdr_len is the headers' length";
    const std::size_t payload = bytes.size() - header_length;
    if ((payload + header.gso_size - 1) / header.gso_size != segments)
        return "gso_size cuts the payload into as many segments as there were";
    if (is_udp && segments > 64) return "64 datagrams at most";
    if (get16(bytes, transport + header.csum_offset) != plain_pseudo_sum(bytes))
        return "the checksum field holds the pseudo-header's sum";
    if (bytes[0] >> 4 == 4
        && (get16(bytes, 2) != bytes.size() || plain_sum(std::span(bytes).first(20)) != 0xffff))
        return "the IPv4 header is right";
    if (bytes[0] >> 4 == 6 && get16(bytes, 4) + 40 != bytes.size())
        return "the IPv6 length is right";
    if (is_udp && get16(bytes, transport + 4) != bytes.size() - transport)
        return "the UDP length is right";
    return "";
}

/// Equal, but for what merging may lose: ids that mean nothing (RFC 6864), and that a datagram had
/// no checksum.
inline bool is_same_packet(PacketBytes before, PacketBytes after) {
    if (before.size() != after.size()) return false;
    if (before == after) return true;
    if (before[0] >> 4 != 4) return false;
    if (before[9] == 17 && get16(before, 26) == 0 && has_right_checksums(after))
        set16(after, 26, 0);
    if ((before[6] & 0x40) != 0) {
        for (auto* packet : {&before, &after}) {
            set16(*packet, 4, 0);
            set16(*packet, 10, 0);
        }
    }
    return before == after;
}

/// What a packet's order is kept among: addresses, protocol and ports.
inline PacketBytes order_key(std::span<const std::uint8_t> packet, bool with_ports) {
    if (!engine::inner_length(packet)) return {};
    const bool v4 = packet[0] >> 4 == 4;
    const auto addresses = v4 ? packet.subspan(12, 8) : packet.subspan(8, 32);
    PacketBytes key(addresses.begin(), addresses.end());
    key.push_back(packet[v4 ? 9 : 6]);
    const std::size_t transport = transport_offset(packet);
    if (!with_ports || packet.size() < transport + 4) return key;
    const auto ports = packet.subspan(transport, 4);
    key.insert(key.end(), ports.begin(), ports.end());
    return key;
}

/// Merges and splits; what went wrong, or nothing. Fragments have no ports: who has some, and one
/// flow for each pair of addresses, leaves ports out of the order.
inline std::string broken_round_trip(std::vector<PacketBytes> packets,
                                     const engine::CoalescerOptions& options = {},
                                     bool order_with_ports = true) {
    const std::vector<PacketBytes> originals = packets;
    std::map<PacketBytes, std::vector<PacketBytes>> before;
    std::map<PacketBytes, std::vector<PacketBytes>> after;
    for (const auto& packet : originals)
        before[order_key(packet, order_with_ports)].push_back(packet);
    for (const auto& whole : merge(packets, options)) {
        if (auto rule = broken_rule(whole); !rule.empty()) return rule;
        std::vector<PacketBytes> pieces;
        if (whole.segments == 1)
            pieces.push_back(whole.bytes);
        else
            pieces = split(whole);
        if (pieces.size() != whole.segments) return "splitting gives as many as were merged";
        for (auto& piece : pieces) {
            auto key = order_key(piece, order_with_ports);
            after[std::move(key)].push_back(std::move(piece));
        };
    }
    if (packets != originals) return "the packets stay as they are";
    if (before.size() != after.size()) return "no flow appears or disappears";
    for (const auto& [key, flow] : before) {
        const auto& other = after[key];
        if (!std::equal(flow.begin(), flow.end(), other.begin(), other.end(), is_same_packet))
            return "every flow is the same packets in the same order";
    }
    return "";
}

} // namespace wgkit::test
