#include "engine/coalescer.hpp"

#include <algorithm>
#include <stdexcept>

#include "engine/checksum.hpp"

namespace wgkit::engine {

namespace {

constexpr std::size_t max_total = 65535; // what IPv4's length can say
// The kernel's limit for UDP_SEGMENT was 64 for long, and it refuses more.
constexpr std::size_t max_udp_segments = 64;
constexpr std::size_t max_parts = 1024;                 // IOV_MAX
constexpr std::size_t max_tcp_segments = max_parts - 2; // without virtio header and IP headers

constexpr std::uint8_t ends_train = tcp::fin | tcp::psh;

/// Whether anything but these protocols' own flows could be meant by an IPv6 packet.
bool is_extension_header(std::uint8_t next) {
    return next == protocol::hop_by_hop || next == protocol::routing || next == protocol::fragment
           || next == protocol::destination_options || next == protocol::authentication
           || next == protocol::mobility;
}

bool equal(const std::uint8_t* a, const std::uint8_t* b, std::size_t offset, std::size_t size) {
    return std::memcmp(a + offset, b + offset, size) == 0;
}

} // namespace

Coalescer::Coalescer(std::size_t capacity)
    : capacity_(capacity), packets_(std::make_unique_for_overwrite<Packet[]>(capacity)),
      trains_(std::make_unique_for_overwrite<Train[]>(capacity)),
      result_(std::make_unique_for_overwrite<SuperPacket[]>(capacity)),
      // The virtio header and a packet; or both headers and two payloads or more.
      parts_(std::make_unique_for_overwrite<iovec[]>(2 * capacity)),
      headers_(std::make_unique_for_overwrite<Headers[]>(capacity / 2)) {
    open_.fill(none);
}

void Coalescer::clear() {
    packet_count_ = 0;
    train_count_ = 0;
    open_.fill(none);
}

void Coalescer::add(MutableBytes packet) {
    if (is_full()) throw std::length_error("coalescer is full");
    const Shape shape = shape_of(packet);
    if (shape.hides_flow) open_.fill(none);
    std::size_t slot = find_flow(shape, packet.data());
    if (slot != max_flows) {
        Train& train = trains_[open_[slot]];
        if (shape.is_mergeable && fits(train, shape, packet.data())) {
            append(train, shape, packet);
            const bool is_short = shape.payload < train.shape.payload;
            const std::size_t most = shape.kind == Kind::udp4 || shape.kind == Kind::udp6
                                         ? max_udp_segments
                                         : max_tcp_segments;
            if (is_short || train.last_flags != 0 || train.segments == most) open_[slot] = none;
            return;
        }
        open_[slot] = none;
    } else if (shape.is_mergeable) {
        slot = evict_;
        evict_ = (evict_ + 1) % max_flows;
    }
    open(shape, packet, slot);
}

bool Coalescer::is_enabled(Kind kind) const {
    switch (kind) {
    case Kind::tcp4:
        return options_.tcp4;
    case Kind::tcp6:
        return options_.tcp6;
    case Kind::udp4:
    case Kind::udp6:
        return options_.udp;
    case Kind::other:
        break;
    }
    return false;
}

Coalescer::Shape Coalescer::shape_of(Bytes packet) const {
    Shape shape;
    shape.hides_flow = true;
    const auto length = inner_length(packet);
    if (!length || *length != packet.size()) return shape;
    std::uint8_t next = 0;
    if (is_ipv4(packet)) {
        next = packet[ipv4::protocol];
        const std::uint16_t fragment = load_be16(packet.data() + ipv4::fragment);
        if ((fragment & ~ipv4::dont_fragment) != 0) return shape;
        if (ipv4_header_length(packet.data()) != ipv4::header) return shape;
        shape.transport = ipv4::header;
    } else {
        next = packet[ipv6::next_header];
        if (is_extension_header(next)) return shape;
        shape.transport = ipv6::header;
    }
    shape.hides_flow = false;
    if (next == protocol::tcp) return shape_of_tcp(packet, shape);
    if (next == protocol::udp) return shape_of_udp(packet, shape);
    return shape;
}

Coalescer::Shape Coalescer::shape_of_tcp(Bytes packet, Shape shape) const {
    const std::uint8_t* p = packet.data() + shape.transport;
    const std::size_t room = packet.size() - shape.transport;
    const std::size_t header = room < tcp::header ? 0 : tcp_header_length(p);
    if (header < tcp::header || header > room) {
        shape.hides_flow = true;
        return shape;
    }
    const bool v4 = is_ipv4(packet);
    shape.kind = v4 ? Kind::tcp4 : Kind::tcp6;
    shape.header_length = static_cast<std::uint8_t>(shape.transport + header);
    shape.payload = static_cast<std::uint16_t>(room - header);
    constexpr std::uint8_t never = tcp::syn | tcp::rst | tcp::urg;
    shape.is_mergeable = is_enabled(shape.kind) && shape.payload != 0
                         && (p[tcp::flags] & never) == 0
                         // The merged packet gets a right one, which must not hide a wrong one.
                         && (!v4 || has_right_header_checksum(packet.data()))
                         && (!options_.verify_checksums
                             || transport_checksum(packet, shape.transport, protocol::tcp) == 0);
    return shape;
}

Coalescer::Shape Coalescer::shape_of_udp(Bytes packet, Shape shape) const {
    const std::uint8_t* p = packet.data() + shape.transport;
    const std::size_t room = packet.size() - shape.transport;
    if (room < udp::header) {
        shape.hides_flow = true;
        return shape;
    }
    const bool v4 = is_ipv4(packet);
    shape.kind = v4 ? Kind::udp4 : Kind::udp6;
    shape.header_length = static_cast<std::uint8_t>(shape.transport + udp::header);
    shape.payload = static_cast<std::uint16_t>(room - udp::header);
    // Only IPv4 allows datagrams without checksum in general (RFC 8200 section 8.1).
    const bool has_checksum = load_be16(p + udp::checksum) != 0;
    shape.is_mergeable = is_enabled(shape.kind) && shape.payload != 0
                         && load_be16(p + udp::length) == room && (has_checksum || v4)
                         && (!v4 || has_right_header_checksum(packet.data()))
                         && (!options_.verify_checksums || !has_checksum
                             || transport_checksum(packet, shape.transport, protocol::udp) == 0);
    return shape;
}

/// The slot of the open train of the packet's flow, or max_flows.
std::size_t Coalescer::find_flow(const Shape& shape, const std::uint8_t* packet) const {
    if (shape.kind == Kind::other) return max_flows;
    const bool v4 = shape.kind == Kind::tcp4 || shape.kind == Kind::udp4;
    for (std::size_t slot = 0; slot < max_flows; ++slot) {
        if (open_[slot] == none) continue;
        const Train& train = trains_[open_[slot]];
        // Ports begin both transport headers.
        if (train.shape.kind == shape.kind
            && equal(packet, train.head, shape.transport + tcp::ports, 4)
            && (v4 ? equal(packet, train.head, ipv4::source, 8)
                   : equal(packet, train.head, ipv6::source, 32)))
            return slot;
    }
    return max_flows;
}

/// Whether the packet continues the train so that cutting it again gives the same packets. The
/// rules are those of the kernel's inet_gro_receive, ipv6_gro_receive, tcp_gro_receive and
/// udp_gro_receive.
bool Coalescer::fits(Train& train, const Shape& shape, const std::uint8_t* packet) {
    const std::uint8_t* head = train.head;
    if (shape.payload > train.shape.payload || train.total + shape.payload > max_total)
        return false;
    bool is_id_fixed = train.is_id_fixed;
    if (shape.kind == Kind::tcp4 || shape.kind == Kind::udp4) {
        if (!equal(packet, head, ipv4::version_and_length, 2) // and TOS
            || !equal(packet, head, ipv4::fragment, 4))       // and TTL, protocol
            return false;
        const auto step =
            static_cast<std::uint16_t>(load_be16(packet + ipv4::id) - load_be16(head + ipv4::id));
        // With "don't fragment" the id means nothing (RFC 6864): some senders leave it the same.
        const bool dont_fragment = (load_be16(head + ipv4::fragment) & ipv4::dont_fragment) != 0;
        if (train.segments == 1) is_id_fixed = dont_fragment && step == 0;
        if (step != (is_id_fixed ? 0 : train.segments)) return false;
    } else if (!equal(packet, head, ipv6::flow, 4)
               || !equal(packet, head, ipv6::next_header, 2)) { // and hop limit
        return false;
    }

    const std::uint8_t* a = packet + shape.transport;
    const std::uint8_t* b = head + shape.transport;
    if (shape.kind == Kind::udp4 || shape.kind == Kind::udp6) {
        if ((load_be16(a + udp::checksum) == 0) != (load_be16(b + udp::checksum) == 0))
            return false;
    } else {
        // Segments of a train share all flags but these, of which CWR is only on the first and the
        // others only on the last.
        constexpr std::uint8_t may_differ = tcp::cwr | tcp::fin | tcp::psh;
        if (load_be32(a + tcp::sequence) != train.next_sequence
            || !equal(a, b, tcp::acknowledgment, 5) // and data offset
            || ((a[tcp::flags] ^ b[tcp::flags]) & ~may_differ) != 0
            || (a[tcp::flags] & tcp::cwr) != 0 || !equal(a, b, tcp::window, 2)
            || !equal(a, b, tcp::urgent, shape.header_length - shape.transport - tcp::urgent))
            return false;
    }
    train.is_id_fixed = is_id_fixed;
    return true;
}

void Coalescer::append(Train& train, const Shape& shape, MutableBytes packet) {
    const std::uint32_t index = packet_count_++;
    packets_[index] = {packet.data() + shape.header_length, shape.payload, none};
    packets_[train.last].next = index;
    train.last = index;
    ++train.segments;
    train.total += shape.payload;
    train.next_sequence += shape.payload;
    if (shape.kind == Kind::tcp4 || shape.kind == Kind::tcp6)
        train.last_flags = packet[shape.transport + tcp::flags] & ends_train;
}

/// Begins a train, which takes the slot if it can grow.
void Coalescer::open(const Shape& shape, MutableBytes packet, std::size_t slot) {
    const std::uint32_t index = packet_count_++;
    const auto size = static_cast<std::uint32_t>(packet.size());
    packets_[index] = {packet.data(), size, none};
    Train& train = trains_[train_count_];
    train = {.head = packet.data(), .first = index, .last = index, .total = size, .shape = shape};
    bool can_grow = shape.is_mergeable;
    if (can_grow && (shape.kind == Kind::tcp4 || shape.kind == Kind::tcp6)) {
        const std::uint8_t* p = packet.data() + shape.transport;
        train.next_sequence = load_be32(p + tcp::sequence) + shape.payload;
        can_grow = (p[tcp::flags] & ends_train) == 0;
    }
    if (can_grow) open_[slot] = train_count_;
    ++train_count_;
}

std::span<const SuperPacket> Coalescer::finish() {
    part_count_ = 0;
    header_count_ = 0;
    for (std::uint32_t i = 0; i < train_count_; ++i) build(trains_[i], result_[i]);
    return {result_.get(), train_count_};
}

void Coalescer::build(const Train& train, SuperPacket& super) {
    super.header = {};
    super.segments = train.segments;
    iovec* const begin = parts_.get() + part_count_;
    iovec* part = begin;
    *part++ = {&super.header, sizeof super.header};
    const Packet* packet = &packets_[train.first];
    if (train.segments == 1) {
        *part++ = {packet->bytes, packet->size};
    } else {
        const std::size_t length = train.shape.header_length;
        std::uint8_t* headers = headers_[header_count_++].data();
        build_headers(train, super.header, headers);
        *part++ = {headers, length};
        *part++ = {packet->bytes + length, packet->size - length};
        while (packet->next != none) {
            packet = &packets_[packet->next];
            *part++ = {packet->bytes, packet->size};
        }
    }
    super.parts = {begin, part};
    part_count_ += super.parts.size();
}

/// The first packet's headers with what has to change, and what the kernel is told about them.
void Coalescer::build_headers(const Train& train, virtio_net_hdr& header,
                              std::uint8_t* bytes) const {
    const Shape& shape = train.shape;
    const bool v4 = shape.kind == Kind::tcp4 || shape.kind == Kind::udp4;
    const bool is_udp = shape.kind == Kind::udp4 || shape.kind == Kind::udp6;
    std::copy_n(train.head, shape.header_length, bytes);
    if (v4) {
        store_be16(bytes + ipv4::total_length, train.total);
        store_be16(bytes + ipv4::checksum, 0);
        store_be16(bytes + ipv4::checksum, internet_checksum({bytes, ipv4::header}));
    } else {
        store_be16(bytes + ipv6::payload_length, train.total - ipv6::header);
    }

    std::uint8_t* transport = bytes + shape.transport;
    const std::size_t length = train.total - shape.transport;
    const std::size_t checksum = is_udp ? udp::checksum : tcp::checksum;
    const std::uint8_t number = is_udp ? protocol::udp : protocol::tcp;
    header.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
    if (is_udp) {
        store_be16(transport + udp::length, length);
    } else {
        header.gso_type = v4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
        if ((transport[tcp::flags] & tcp::cwr) != 0) header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
        transport[tcp::flags] |= train.last_flags;
    }
    // The kernel completes or believes the checksum from here.
    store_be16(transport + checksum,
               fold(pseudo_header_sum({bytes, shape.header_length}, number, length)));
    header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header.hdr_len = shape.header_length;
    header.gso_size = shape.payload;
    header.csum_start = shape.transport;
    header.csum_offset = static_cast<std::uint16_t>(checksum);
}

} // namespace wgkit::engine
