#include <random>

#include "support/catch.hpp"
#include "support/offload.hpp"
#include "support/packet_stream.hpp"

using namespace wgkit::engine;
using namespace wgkit::test;

TEST_CASE("random streams are the same after merging and splitting") {
    std::mt19937 random(1); // the same streams in every run
    std::size_t packets_in = 0;
    std::size_t writes = 0;
    for (int round = 0; round < 400; ++round) {
        PacketBytes bytes(3000);
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        Drawer drawer(bytes);
        auto packets = draw_packets(drawer, 500);
        CoalescerOptions options;
        if (round % 8 == 0) options.udp = false;
        if (round % 8 == 1) options.verify_checksums = true;
        CAPTURE(round);
        REQUIRE(broken_round_trip(packets, options, false) == "");
        packets_in += packets.size();
        writes += merge(packets, options).size();
    }
    // The streams must be of a kind that merges, else nothing is tested.
    CHECK(writes * 3 < packets_in * 2);
    CHECK(writes * 10 > packets_in);
}

TEST_CASE("corrupt packets stay corrupt where checksums are verified") {
    std::mt19937 random(2); // the same streams in every run
    for (int round = 0; round < 50; ++round) {
        PacketBytes bytes(2000);
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        Drawer drawer(bytes);
        auto packets = draw_packets(drawer, 300);
        std::size_t corrupted = 0;
        for (auto& packet : packets) {
            const std::size_t transport = transport_offset(packet);
            const bool is_checked = packet.size() > transport + 40 && has_right_checksums(packet);
            if (!is_checked || random() % 8 != 0) continue;
            packet.back() ^= 1;
            ++corrupted;
        }
        REQUIRE(corrupted != 0);
        CAPTURE(round);
        REQUIRE(broken_round_trip(packets, {.verify_checksums = true}, false) == "");
    }
}
