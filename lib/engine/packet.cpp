#include "engine/packet.hpp"

namespace wgkit::engine {

namespace {

PacketAddress address_at(Bytes packet, std::size_t offset_v4, std::size_t offset_v6) {
    if (is_ipv4(packet)) {
        const std::uint64_t bits = load_be32(packet.data() + offset_v4);
        return {{bits << 32, 0}, Family::ipv4};
    }
    const std::uint8_t* p = packet.data() + offset_v6;
    return {{load_be64(p), load_be64(p + 8)}, Family::ipv6};
}

} // namespace

std::optional<std::size_t> inner_length(Bytes packet) {
    if (packet.size() < ipv4::header) return std::nullopt;
    const unsigned version = packet[ipv4::version_and_length] >> 4;
    std::size_t least = 0;
    std::size_t length = 0;
    if (version == 4) {
        least = ipv4::header;
        length = load_be16(packet.data() + ipv4::total_length);
    } else if (version == 6 && packet.size() >= ipv6::header) {
        least = ipv6::header;
        length = ipv6::header + load_be16(packet.data() + ipv6::payload_length);
    } else {
        return std::nullopt;
    }
    if (length < least || length > packet.size()) return std::nullopt;
    return length;
}

PacketAddress source_of(Bytes packet) { return address_at(packet, ipv4::source, ipv6::source); }

PacketAddress destination_of(Bytes packet) {
    return address_at(packet, ipv4::destination, ipv6::destination);
}

std::uint8_t traffic_class(Bytes packet) {
    if (is_ipv4(packet)) return packet[ipv4::tos];
    // Between the version and the flow label, across two bytes.
    return static_cast<std::uint8_t>(load_be16(packet.data() + ipv6::flow) >> 4);
}

std::uint8_t outer_ecn(Bytes packet) {
    const std::uint8_t inner = traffic_class(packet) & ecn::mask;
    return inner == ecn::ce ? ecn::ect0 : inner;
}

void decapsulate_ecn(MutableBytes packet, std::uint8_t outer_tos) {
    if ((outer_tos & ecn::mask) != ecn::ce) return;
    const std::uint8_t inner = traffic_class(packet) & ecn::mask;
    if (inner == ecn::not_ect) return;
    if (!is_ipv4(packet)) {
        packet[ipv6::flow + 1] |= ecn::ce << 4;
        return;
    }
    packet[ipv4::tos] |= ecn::ce;
    // RFC 1624 equation 3: the sum of all words has grown by as much as this one.
    std::uint8_t* field = packet.data() + ipv4::checksum;
    std::uint32_t sum = ~std::uint32_t{load_be16(field)} & 0xffff;
    sum += static_cast<std::uint32_t>(ecn::ce - inner);
    sum = (sum & 0xffff) + (sum >> 16);
    store_be16(field, ~sum & 0xffff);
}

} // namespace wgkit::engine
