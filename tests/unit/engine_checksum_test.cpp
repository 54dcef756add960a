#include "engine/checksum.hpp"

#include "support/catch.hpp"
#include "support/packets.hpp"

using namespace wgkit::engine;
using namespace wgkit::test;

TEST_CASE("the checksum of RFC 1071's example is right") {
    const PacketBytes bytes = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    CHECK(checksum_sum(bytes) == 0xddf2);
    CHECK(internet_checksum(bytes) == 0x220d);
}

TEST_CASE("sums agree with a word-by-word sum for every length and alignment") {
    const auto bytes = make_payload(2100);
    for (std::size_t size = 0; size < 400; ++size) {
        for (std::size_t begin = 0; begin < 9; ++begin) {
            const auto part = std::span(bytes).subspan(begin, size);
            if (checksum_sum(part) != plain_sum(part)) FAIL(size << " bytes at " << begin);
        }
    }
    for (const std::size_t size : {1368U, 1420U, 2047U, 2048U})
        CHECK(checksum_sum(std::span(bytes).first(size))
              == plain_sum(std::span(bytes).first(size)));
}

TEST_CASE("carries are not lost in large sums") {
    const PacketBytes ones(65535, 0xff);
    CHECK(checksum_sum(ones) == plain_sum(ones));
    CHECK(checksum_sum(std::span(ones).first(65534)) == 0xffff);
    CHECK(checksum_sum(PacketBytes(65535, 0)) == 0);
    CHECK(fold(0xffffffffffffffff) == 0xffff);
    CHECK(fold(0x1fffe) == 0xffff);
    CHECK(fold(0xffff0001ffff) == 1);
}

TEST_CASE("transport checksums cover the pseudo-header") {
    for (const bool is_v6 : {false, true}) {
        for (const bool is_udp : {false, true}) {
            auto packet =
                make_packet({.is_v6 = is_v6, .is_udp = is_udp, .payload = make_payload(333)});
            const std::size_t transport = is_v6 ? 40 : 20;
            const std::uint8_t protocol = is_udp ? 17 : 6;
            CHECK(transport_checksum(packet, transport, protocol) == 0);
            CHECK(pseudo_header_sum(packet, protocol, packet.size() - transport) % 0xffff
                  == plain_pseudo_sum(packet) % 0xffff);
            packet[is_v6 ? 20 : 15] ^= 1; // an address
            CHECK(transport_checksum(packet, transport, protocol) != 0);
        }
    }
}

TEST_CASE("a UDP checksum of 0 is sent as 0xffff") {
    CHECK(udp_checksum(0) == 0xffff);
    CHECK(udp_checksum(1) == 1);
}
