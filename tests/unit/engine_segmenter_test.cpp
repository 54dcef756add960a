#include "engine/segmenter.hpp"

#include "support/catch.hpp"
#include "support/offload.hpp"

using namespace wgkit::engine;
using namespace wgkit::test;

namespace {

using Packets = std::vector<PacketBytes>;

constexpr std::uint8_t fin = 1, psh = 8, ack = 16, ece = 64, cwr = 128;

/// A super-packet as the kernel gives it: lengths of the whole, the pseudo-header's sum as
/// checksum.
WholePacket make_super(const PacketSpec& spec, std::size_t gso_size) {
    WholePacket whole;
    whole.bytes = make_packet(spec);
    const std::size_t transport = transport_offset(whole.bytes);
    const std::size_t field = spec.is_udp ? 6 : 16;
    set16(whole.bytes, transport + field, plain_pseudo_sum(whole.bytes));
    whole.header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    whole.header.gso_type = spec.is_udp  ? VIRTIO_NET_HDR_GSO_UDP_L4
                            : spec.is_v6 ? VIRTIO_NET_HDR_GSO_TCPV6
                                         : VIRTIO_NET_HDR_GSO_TCPV4;
    whole.header.gso_size = static_cast<std::uint16_t>(gso_size);
    whole.header.csum_start = static_cast<std::uint16_t>(transport);
    whole.header.csum_offset = static_cast<std::uint16_t>(field);
    whole.header.hdr_len = 7777; // must not be believed
    return whole;
}

/// What the segments should be, each built on its own.
std::vector<PacketBytes> expected_segments(PacketSpec spec, std::size_t gso_size) {
    const PacketBytes payload = spec.payload;
    const std::uint8_t flags = spec.flags;
    std::vector<PacketBytes> segments;
    for (std::size_t begin = 0; begin < payload.size(); begin += gso_size) {
        const auto part =
            std::span(payload).subspan(begin, std::min(gso_size, payload.size() - begin));
        spec.payload.assign(part.begin(), part.end());
        spec.flags = flags;
        if (begin != 0) spec.flags &= static_cast<std::uint8_t>(~cwr);
        if (begin + part.size() != payload.size())
            spec.flags &= static_cast<std::uint8_t>(~(fin | psh));
        segments.push_back(make_packet(spec));
        ++spec.id;
        spec.sequence += static_cast<std::uint32_t>(part.size());
    }
    return segments;
}

std::optional<Malformed> refusal(WholePacket whole) {
    Malformed why{};
    const auto segmenter = Segmenter::start(whole.header, whole.bytes, why);
    return segmenter ? std::nullopt : std::optional(why);
}

const PacketBytes timestamps = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};

} // namespace

TEST_CASE("TCP and UDP super-packets become the packets that they stand for") {
    for (const bool is_v6 : {false, true}) {
        for (const bool is_udp : {false, true}) {
            for (const std::size_t gso_size : {1U, 7U, 19U, 40U, 52U, 1368U}) {
                for (const std::size_t size : {1U, 2U, 55U, 1368U, 1369U, 2736U, 4000U}) {
                    PacketSpec spec{.is_v6 = is_v6,
                                    .is_udp = is_udp,
                                    .id = 0xfffe, // wraps
                                    .sequence = 0xfffffff0,
                                    .tcp_options = timestamps,
                                    .payload = make_payload(size)};
                    CAPTURE(is_v6, is_udp, gso_size, size);
                    CHECK(split(make_super(spec, gso_size)) == expected_segments(spec, gso_size));
                }
            }
        }
    }
}

TEST_CASE("the largest super-packet is split whole") {
    PacketSpec spec{.tcp_options = timestamps, .payload = make_payload(65535 - 52)};
    const auto super = make_super(spec, 1368);
    auto bytes = super.bytes;
    bytes.resize(bytes.size() + 15);
    const auto segmenter =
        Segmenter::start(super.header, std::span(bytes).first(super.bytes.size()));
    REQUIRE(segmenter);
    CHECK(segmenter->segment_count() == 48);
    CHECK(segmenter->segment_size() == 1420);
    CHECK(segmenter->destination() == destination_of(super.bytes));
    CHECK(split(super) == expected_segments(spec, 1368));
}

TEST_CASE("FIN and PSH stay on the last segment, CWR on the first, ECE on all") {
    for (const bool has_ecn_bit : {false, true}) {
        PacketSpec spec{.flags = fin | psh | ack | ece | cwr, .payload = make_payload(3000)};
        auto super = make_super(spec, 1000);
        if (has_ecn_bit) super.header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
        const auto segments = split(super);
        REQUIRE(segments.size() == 3);
        CHECK(segments[0][33] == (ack | ece | cwr));
        CHECK(segments[1][33] == (ack | ece));
        CHECK(segments[2][33] == (fin | psh | ack | ece));
        CHECK(segments == expected_segments(spec, 1000));
    }
}

TEST_CASE("IPv4 options are repeated in every segment") {
    PacketSpec spec{.ip_options = {7, 7, 4, 0, 0, 0, 0, 0}, .payload = make_payload(100)};
    CHECK(split(make_super(spec, 30)) == expected_segments(spec, 30));
}

TEST_CASE("a super-packet of one segment is that segment") {
    PacketSpec spec{.flags = psh | ack | cwr, .payload = make_payload(100)};
    CHECK(split(make_super(spec, 1000)) == Packets{make_packet(spec)});
    spec.payload.clear();
    CHECK(split(make_super(spec, 1000)) == Packets{make_packet(spec)});
}

TEST_CASE("a super-packet need not ask for its checksum to be completed") {
    PacketSpec spec{.payload = make_payload(100)};
    auto super = make_super(spec, 30);
    super.header.flags = 0;
    super.header.csum_start = 9999;
    CHECK(split(super) == expected_segments(spec, 30));
}

TEST_CASE("plain packets pass as they are, without their padding") {
    WholePacket whole;
    const auto packet = make_packet({.payload = make_payload(50)});
    whole.bytes = packet;
    whole.bytes.resize(packet.size() + 9);
    whole.header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    CHECK(split(whole) == Packets{packet});
    CHECK(Segmenter::start(whole.header, whole.bytes)->segment_count() == 1);
}

TEST_CASE("a plain packet's checksum is completed where the kernel says") {
    for (const bool is_v6 : {false, true}) {
        for (const bool is_udp : {false, true}) {
            PacketSpec spec{.is_v6 = is_v6, .is_udp = is_udp, .payload = make_payload(77)};
            auto super = make_super(spec, 1);
            super.header.gso_type = VIRTIO_NET_HDR_GSO_NONE;
            CHECK(split(super) == Packets{make_packet(spec)});
        }
    }
}

TEST_CASE("a UDP checksum that computes as 0 is written as 0xffff") {
    // Payload words that bring the sum to 0xffff, in a plain packet and in each of two segments.
    PacketSpec spec{.is_udp = true, .payload = {0, 0}};
    const auto zero_sum = [](PacketSpec one) {
        auto packet = make_packet(one);
        one.payload = {packet[26], packet[27]};
        return one;
    };
    spec = zero_sum(spec);
    REQUIRE(get16(make_packet(spec), 26) == 0xffff);
    auto super = make_super(spec, 2);
    super.header.gso_type = VIRTIO_NET_HDR_GSO_NONE;
    CHECK(get16(split(super).at(0), 26) == 0xffff);

    const PacketBytes once = spec.payload;
    spec.payload.insert(spec.payload.end(), once.begin(), once.end());
    const auto segments = split(make_super(spec, 2));
    REQUIRE(segments.size() == 2);
    CHECK(get16(segments[0], 26) == 0xffff);
    CHECK(get16(segments[1], 26) == 0xffff);
}

TEST_CASE("extension headers before the transport header are found and kept") {
    // Destination options of 8 bytes between IPv6 and TCP.
    PacketSpec spec{.is_v6 = true, .payload = make_payload(100)};
    auto super = make_super(spec, 60);
    const PacketBytes extension = {6, 0, 1, 4, 0, 0, 0, 0};
    super.bytes.insert(super.bytes.begin() + 40, extension.begin(), extension.end());
    super.bytes[6] = 60;
    set16(super.bytes, 4, super.bytes.size() - 40);
    super.header.csum_start = 48;
    auto expected = expected_segments(spec, 60);
    for (auto& packet : expected) {
        packet.insert(packet.begin() + 40, extension.begin(), extension.end());
        packet[6] = 60;
        set16(packet, 4, packet.size() - 40);
    }
    CHECK(split(super) == expected);

    SECTION("with a routing header the kernel's sum knows the destination") {
        super.bytes[6] = 43;
        for (auto& packet : expected) packet[6] = 43;
        // As if the final destination's last word were one larger.
        set16(super.bytes, 64, get16(super.bytes, 64) + 1);
        for (auto& packet : expected) {
            const std::size_t checksum = get16(packet, 64);
            set16(packet, 64, checksum == 0 ? 0xfffe : checksum - 1);
        }
        CHECK(split(super) == expected);
        super.header.flags = 0;
        CHECK(refusal(super) == Malformed::checksum_place);
    }
    SECTION("one that is longer than the packet is refused") {
        super.bytes[41] = 255;
        CHECK(refusal(super) == Malformed::ip_header);
        super.bytes[41] = 0;
        for (const std::size_t size : {44U, 40U}) {
            super.bytes.resize(size);
            set16(super.bytes, 4, size - 40);
            CHECK(refusal(super) == Malformed::ip_header);
        }
    }
    SECTION("more of them than anybody sends are refused") {
        super.bytes[41] = 14; // 120 bytes
        super.bytes.insert(super.bytes.begin() + 48, 112, 0);
        set16(super.bytes, 4, super.bytes.size() - 40);
        super.header.csum_start = 160;
        CHECK(refusal(super) == Malformed::ip_header);
    }
}

TEST_CASE("malformed packets are refused, each with its reason") {
    const PacketSpec spec{.payload = make_payload(3000)};
    const auto good = make_super(spec, 1000);
    REQUIRE_FALSE(refusal(good));
    const auto refused = [&good](auto change) {
        auto bad = good;
        change(bad);
        return refusal(bad);
    };
    const auto ip = [&refused](std::size_t offset, std::uint8_t value) {
        return refused([=](WholePacket& bad) { bad.bytes[offset] = value; });
    };
    CHECK(refused([](auto& bad) { bad.bytes.clear(); }) == Malformed::ip_length);
    CHECK(refused([](auto& bad) { bad.bytes.pop_back(); }) == Malformed::ip_length);
    CHECK(ip(0, 0x75) == Malformed::ip_length);
    CHECK(ip(0, 0x44) == Malformed::ip_header);
    CHECK(refused([](auto& bad) {
              bad.bytes[0] = 0x4f;
              bad.bytes.resize(59);
              set16(bad.bytes, 2, 59);
          })
          == Malformed::ip_header);
    CHECK(ip(6, 0x20) == Malformed::ip_header); // a fragment
    CHECK(ip(7, 1) == Malformed::ip_header);
    CHECK(ip(9, 17) == Malformed::transport);
    CHECK(ip(32, 0x40) == Malformed::transport_header);
    CHECK(refused([](auto& bad) { bad.header.gso_size = 0; }) == Malformed::gso_size);
    CHECK(refused([](auto& bad) { bad.header.gso_type = VIRTIO_NET_HDR_GSO_UDP; })
          == Malformed::gso_type);
    CHECK(refused([](auto& bad) { bad.header.gso_type = 0x7f; }) == Malformed::gso_type);
    CHECK(refused([](auto& bad) { bad.header.gso_type = VIRTIO_NET_HDR_GSO_TCPV6; })
          == Malformed::ip_header);
    CHECK(refused([](auto& bad) { bad.header.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4; })
          == Malformed::transport);
    CHECK(refused([](auto& bad) { bad.header.csum_start = 24; }) == Malformed::checksum_place);
    CHECK(refused([](auto& bad) { bad.header.csum_offset = 6; }) == Malformed::checksum_place);
    // Cut within the TCP header, with an IP length that agrees.
    for (const std::size_t size : {21U, 39U}) {
        CHECK(refused([size](auto& bad) {
                  bad.bytes.resize(size);
                  set16(bad.bytes, 2, size);
              })
              == Malformed::transport_header);
    }
    CHECK(refused([](auto& bad) {
              bad.bytes[32] = 0xf0;
              bad.bytes.resize(79);
              set16(bad.bytes, 2, 79);
          })
          == Malformed::transport_header);
}

TEST_CASE("a checksum to complete must lie behind the IP header and within the packet") {
    auto plain = make_super({.payload = make_payload(10)}, 1);
    plain.header.gso_type = VIRTIO_NET_HDR_GSO_NONE;
    REQUIRE_FALSE(refusal(plain));
    const auto at = [&plain](std::size_t start, std::size_t offset) {
        auto whole = plain;
        whole.header.csum_start = static_cast<std::uint16_t>(start);
        whole.header.csum_offset = static_cast<std::uint16_t>(offset);
        return refusal(whole);
    };
    CHECK(at(19, 16) == Malformed::checksum_place);
    CHECK(at(20, 29) == Malformed::checksum_place);
    CHECK_FALSE(at(20, 28));
    CHECK(at(65535, 65535) == Malformed::checksum_place);
    CHECK(at(51, 0) == Malformed::checksum_place);
}
