#include "engine/packet.hpp"

#include "support/catch.hpp"
#include "support/packets.hpp"

using namespace wgkit::engine;
using namespace wgkit::test;

TEST_CASE("inner length takes what the header says and leaves padding off") {
    auto v4 = make_packet({.payload = make_payload(5)});
    auto v6 = make_packet({.is_v6 = true, .payload = make_payload(5)});
    CHECK(inner_length(v4) == 45);
    CHECK(inner_length(v6) == 65);
    v4.resize(48);
    v6.resize(80);
    CHECK(inner_length(v4) == 45);
    CHECK(inner_length(v6) == 65);
}

TEST_CASE("inner length refuses what is no whole IP packet") {
    CHECK_FALSE(inner_length({}));
    auto v4 = make_packet({});
    auto v6 = make_packet({.is_v6 = true});
    CHECK_FALSE(inner_length(Bytes(v4).first(19)));
    CHECK_FALSE(inner_length(Bytes(v6).first(39)));
    set16(v4, 2, v4.size() + 1);
    CHECK_FALSE(inner_length(v4));
    set16(v4, 2, 19);
    CHECK_FALSE(inner_length(v4));
    set16(v4, 2, 20);
    CHECK(inner_length(v4) == 20);
    set16(v6, 4, v6.size() - 40 + 1);
    CHECK_FALSE(inner_length(v6));
    v4[0] = 0x55;
    CHECK_FALSE(inner_length(v4));
}

TEST_CASE("an IPv6 payload length near 65536 does not wrap around") {
    auto v6 = make_packet({.is_v6 = true, .payload = make_payload(100)});
    for (const std::size_t length : {65496U, 65500U, 65535U}) {
        set16(v6, 4, length);
        CHECK_FALSE(inner_length(v6));
    }
    PacketBytes large(40 + 65535);
    large[0] = 0x60;
    set16(large, 4, 65535);
    CHECK(inner_length(large) == 65575);
}

TEST_CASE("addresses are read in the order of their bits") {
    const auto v4 = make_packet({.host = 9});
    CHECK(source_of(v4) == PacketAddress{{0x0a00000900000000, 0}, wgkit::Family::ipv4});
    CHECK(destination_of(v4).bits.high == 0x0a00010900000000);
    const auto v6 = make_packet({.is_v6 = true, .host = 9});
    CHECK(source_of(v6) == PacketAddress{{0xfd00000000000000, 9}, wgkit::Family::ipv6});
    CHECK(destination_of(v6).bits.low == 0x109);
}

TEST_CASE("the outer packet gets the inner ECN bits, no DSCP, and ECT(0) for CE") {
    for (const bool is_v6 : {false, true}) {
        const auto outer = [is_v6](std::uint8_t tos) {
            return outer_ecn(make_packet({.is_v6 = is_v6, .tos = tos}));
        };
        CHECK(traffic_class(make_packet({.is_v6 = is_v6, .tos = 0xb9})) == 0xb9);
        CHECK(outer(0xb8) == 0);
        CHECK(outer(0xb9) == 1);
        CHECK(outer(0xba) == 2);
        CHECK(outer(0xbb) == 2);
    }
}

TEST_CASE("congestion that the outer packet met reaches an inner packet that understands it") {
    for (const bool is_v6 : {false, true}) {
        for (int id = 0; id < 0x10000; id += 257) { // every carry of the IPv4 checksum
            for (unsigned inner = 0; inner < 4; ++inner) {
                for (unsigned outer = 0; outer < 4; ++outer) {
                    auto packet = make_packet({.is_v6 = is_v6,
                                               .tos = static_cast<std::uint8_t>(0xb8 | inner),
                                               .id = static_cast<std::uint16_t>(id),
                                               .flow_label = 0xabcde});
                    auto expected = packet;
                    if (outer == 3 && inner != 0) {
                        expected = make_packet({.is_v6 = is_v6,
                                                .tos = 0xbb,
                                                .id = static_cast<std::uint16_t>(id),
                                                .flow_label = 0xabcde});
                    }
                    decapsulate_ecn(packet, static_cast<std::uint8_t>(0x40 | outer));
                    if (packet != expected) FAIL("ECN " << inner << " in " << outer);
                }
            }
        }
    }
    SUCCEED();
}

TEST_CASE("noting congestion keeps every IPv4 checksum right") {
    for (const unsigned inner : {1U, 2U}) {
        for (unsigned id = 0; id < 0x10000; ++id) {
            PacketSpec spec{.tos = static_cast<std::uint8_t>(inner),
                            .id = static_cast<std::uint16_t>(id)};
            auto packet = make_packet(spec);
            decapsulate_ecn(packet, 3);
            if (plain_sum(std::span(packet).first(20)) != 0xffff) FAIL("id " << id);
        }
    }
    SUCCEED();
}

TEST_CASE("a wrong IPv4 checksum stays wrong when congestion is noted") {
    auto packet = make_packet({.tos = 2});
    packet[10] ^= 0x10;
    decapsulate_ecn(packet, 3);
    CHECK(plain_sum(std::span(packet).first(20)) != 0xffff);
}
