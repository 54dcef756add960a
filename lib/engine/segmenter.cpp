#include "engine/segmenter.hpp"

#include <algorithm>

#include "engine/checksum.hpp"

namespace wgkit::engine {

namespace {

struct Transport {
    std::size_t offset;
    std::uint8_t protocol;
    bool is_routed; ///< a routing header holds the destination that checksums are made with
};

/// Finds the transport header behind an IPv4 header with options or IPv6 extension headers; none in
/// fragments. The caller checks that it fits.
std::optional<Transport> find_transport(Bytes packet) {
    if (is_ipv4(packet)) {
        const std::size_t length = ipv4_header_length(packet.data());
        const std::uint16_t fragment = load_be16(packet.data() + ipv4::fragment);
        if (length < ipv4::header || length > packet.size()) return std::nullopt;
        if ((fragment & (ipv4::more_fragments | ipv4::fragment_offset)) != 0) return std::nullopt;
        return Transport{length, packet[ipv4::protocol], false};
    }
    std::size_t offset = ipv6::header;
    std::uint8_t next = packet[ipv6::next_header];
    bool is_routed = false;
    while (next == protocol::hop_by_hop || next == protocol::routing
           || next == protocol::destination_options) {
        // Next header, then the length in units of 8 bytes, not counting the first (RFC 8200 4.3).
        if (packet.size() - offset < 8) return std::nullopt;
        const std::size_t length = (packet[offset + 1] + std::size_t{1}) * 8;
        if (packet.size() - offset < length) return std::nullopt;
        is_routed |= next == protocol::routing;
        next = packet[offset];
        offset += length;
    }
    return Transport{offset, next, is_routed};
}

/// Bytes of the checksum field, counted from the transport header.
std::size_t checksum_place(std::uint8_t protocol) {
    return protocol == protocol::tcp ? tcp::checksum : udp::checksum;
}

} // namespace

std::optional<Segmenter> Segmenter::start(const virtio_net_hdr& header, MutableBytes packet,
                                          Malformed& why) {
    const auto length = inner_length(packet);
    if (!length) {
        why = Malformed::ip_length;
        return std::nullopt;
    }
    std::optional<Segmenter> result = Segmenter(packet.first(*length));
    const auto wrong = header.gso_type == VIRTIO_NET_HDR_GSO_NONE
                           ? result->prepare_checksum(header)
                           : result->prepare_segments(header);
    if (wrong) {
        why = *wrong;
        result.reset();
    }
    return result;
}

std::optional<Malformed> Segmenter::prepare_checksum(const virtio_net_hdr& header) {
    header_length_ = packet_.size();
    if ((header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0) return std::nullopt;
    needs_checksum_ = true;
    transport_ = header.csum_start;
    checksum_ = transport_ + header.csum_offset;
    const std::size_t ip = is_ipv4(packet_) ? ipv4::header : ipv6::header;
    if (transport_ < ip || checksum_ + 2 > packet_.size()) return Malformed::checksum_place;
    return std::nullopt;
}

std::optional<Malformed> Segmenter::prepare_segments(const virtio_net_hdr& header) {
    const bool v4 = is_ipv4(packet_);
    switch (header.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4:
        if (!v4) return Malformed::ip_header;
        protocol_ = protocol::tcp;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        if (v4) return Malformed::ip_header;
        protocol_ = protocol::tcp;
        break;
    case VIRTIO_NET_HDR_GSO_UDP_L4:
        protocol_ = protocol::udp;
        break;
    default:
        return Malformed::gso_type;
    }
    if (header.gso_size == 0) return Malformed::gso_size;

    const auto transport = find_transport(packet_);
    if (!transport) return Malformed::ip_header;
    if (transport->protocol != protocol_) return Malformed::transport;
    transport_ = transport->offset;
    const std::size_t room = packet_.size() - transport_;
    std::size_t transport_header = udp::header;
    if (protocol_ == protocol::tcp) {
        if (room < tcp::header) return Malformed::transport_header;
        transport_header = tcp_header_length(packet_.data() + transport_);
        if (transport_header < tcp::header) return Malformed::transport_header;
    }
    if (room < transport_header) return Malformed::transport_header;
    header_length_ = transport_ + transport_header;
    if (header_length_ > max_header) return Malformed::ip_header;
    checksum_ = transport_ + checksum_place(protocol_);
    const bool needs_checksum = (header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
    if (needs_checksum
        && (header.csum_start != transport_ || header.csum_offset != checksum_place(protocol_)))
        return Malformed::checksum_place;

    const std::size_t payload = packet_.size() - header_length_;
    segment_payload_ = header.gso_size;
    count_ = payload <= segment_payload_ ? 1 : (payload - 1) / segment_payload_ + 1;

    // Only the sum that the kernel left in the field knows the destination.
    if (transport->is_routed && !needs_checksum) return Malformed::checksum_place;
    std::copy_n(packet_.begin(), header_length_, headers_.begin());
    sum_shared_fields(transport->is_routed);
    return std::nullopt;
}

/// Adds up what all segments share. That also keeps `next` from reading what it has just written,
/// which processors do slowly.
void Segmenter::sum_shared_fields(bool is_routed) {
    if (is_ipv4(packet_)) {
        ip_sum_ = checksum_sum(packet_.first(ipv4::total_length))
                  + checksum_sum(packet_.subspan(ipv4::fragment, ipv4::checksum - ipv4::fragment))
                  + checksum_sum(packet_.subspan(ipv4::source, transport_ - ipv4::source));
    }
    const MutableBytes transport = packet_.subspan(transport_);
    if (is_routed) {
        // It includes the length of the whole, which is taken out again.
        transport_sum_ = std::uint32_t{load_be16(packet_.data() + checksum_)}
                         + static_cast<std::uint16_t>(~transport.size());
    } else {
        transport_sum_ = pseudo_header_sum(packet_, protocol_, 0);
    }
    transport_sum_ += checksum_sum(transport.first(4)); // ports
    if (protocol_ == protocol::tcp) {
        const std::size_t header = header_length_ - transport_;
        transport_sum_ += checksum_sum(transport.subspan(tcp::acknowledgment, 4))
                          + checksum_sum(transport.subspan(tcp::window, 2))
                          + checksum_sum(transport.subspan(tcp::urgent, header - tcp::urgent));
    }
}

MutableBytes Segmenter::next() {
    if (index_ == count_) return {};
    const std::size_t i = index_++;
    if (protocol_ == 0) {
        if (needs_checksum_) complete_single();
        return packet_;
    }
    const std::size_t offset = i * segment_payload_;
    const std::size_t payload =
        std::min(segment_payload_, packet_.size() - header_length_ - offset);
    const MutableBytes segment = packet_.subspan(offset, header_length_ + payload);
    if (i != 0) std::copy_n(headers_.begin(), header_length_, segment.begin());
    write_ip_length(segment.data(), segment.size());
    if (protocol_ == protocol::tcp)
        write_tcp(segment);
    else
        write_udp(segment);
    return segment;
}

/// The field holds the pseudo-header's sum already. Whatever the protocol, 0 is as good as 0xffff
/// to who checks it, and for UDP it would mean something else.
void Segmenter::complete_single() {
    const std::uint32_t sum = checksum_sum(packet_.subspan(transport_));
    store_be16(packet_.data() + checksum_, udp_checksum(static_cast<std::uint16_t>(~sum)));
}

void Segmenter::write_ip_length(std::uint8_t* headers, std::size_t length) const {
    if (!is_ipv4({headers, ipv4::header})) {
        store_be16(headers + ipv6::payload_length, length - ipv6::header);
        return;
    }
    const std::size_t id = (load_be16(headers_.data() + ipv4::id) + index_ - 1) & 0xffff;
    store_be16(headers + ipv4::total_length, length);
    store_be16(headers + ipv4::id, id);
    store_be16(headers + ipv4::checksum, ~fold(ip_sum_ + length + id) & 0xffffU);
}

void Segmenter::write_tcp(MutableBytes segment) const {
    const std::uint8_t* from = headers_.data() + transport_;
    std::uint8_t* to = segment.data() + transport_;
    const std::uint32_t sequence = load_be32(from + tcp::sequence)
                                   + static_cast<std::uint32_t>((index_ - 1) * segment_payload_);
    // The first tells that the sender has slowed down, the last that there is no more.
    unsigned flags = from[tcp::flags];
    if (index_ != 1) flags &= ~unsigned{tcp::cwr};
    if (index_ != count_) flags &= ~unsigned{tcp::fin | tcp::psh};
    store_be32(to + tcp::sequence, sequence);
    to[tcp::flags] = static_cast<std::uint8_t>(flags);
    const std::uint64_t sum = std::uint64_t{transport_sum_} + (sequence >> 16) + (sequence & 0xffff)
                              + (unsigned{from[tcp::data_offset]} << 8 | flags)
                              + (segment.size() - transport_)
                              + checksum_sum(segment.subspan(header_length_));
    store_be16(to + tcp::checksum, ~fold(sum) & 0xffffU);
}

void Segmenter::write_udp(MutableBytes segment) const {
    std::uint8_t* to = segment.data() + transport_;
    const std::size_t length = segment.size() - transport_;
    store_be16(to + udp::length, length);
    // In the header and in the pseudo-header.
    const std::uint64_t sum =
        std::uint64_t{transport_sum_} + 2 * length + checksum_sum(segment.subspan(header_length_));
    store_be16(to + udp::checksum, udp_checksum(static_cast<std::uint16_t>(~fold(sum))));
}

} // namespace wgkit::engine
