// The tunnel's core on a simulated network: what passes, and what does not.
#include <fmt/format.h>

#include "engine/checksum.hpp"
#include "support/catch.hpp"
#include "support/tunnel_world.hpp"

using namespace wgkit;
using namespace wgkit::test;
using namespace std::chrono_literals;

TEST_CASE("a packet brings about a handshake and arrives, and so does the answer") {
    World world;
    auto [a, b] = world.make_pair(false);
    const auto ping = numbered_packet("10.0.0.1", "10.0.0.2", 1);
    world.send(*a, ping);
    world.run_for(100ms);
    REQUIRE(b->delivered == std::vector<Datagram>{ping});
    const auto pong = numbered_packet("10.0.0.2", "10.0.0.1", 2);
    world.send(*b, pong);
    world.run_for(100ms);
    REQUIRE(a->delivered == std::vector<Datagram>{pong});
    CHECK(world.sent_types[1] == 1);
    CHECK(world.sent_types[2] == 1);
    CHECK(World::peer_of(*a, *b).last_handshake != std::chrono::system_clock::time_point{});
    CHECK(World::peer_of(*b, *a).path->remote == a->address);
    CHECK(World::peer_of(*b, *a).path->source.ip == b->address.ip);
}

TEST_CASE("bytes are counted as wg shows them, whole messages") {
    World world;
    auto [a, b] = world.make_pair();
    for (std::uint32_t i = 0; i < 10; ++i) {
        world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", i, 84)); // ping's size
        world.run_for(20ms);
        world.send(*b, numbered_packet("10.0.0.2", "10.0.0.1", i, 84));
        world.run_for(20ms);
    }
    // 10 * 128 and the handshake's 148 and 92: the figures of the kernel's own test.
    CHECK(World::peer_of(*a, *b).received_bytes == 1372);
    CHECK(World::peer_of(*a, *b).sent_bytes == 1428);
    CHECK(World::peer_of(*b, *a).received_bytes == 1428);
    CHECK(World::peer_of(*b, *a).sent_bytes == 1372);
}

TEST_CASE("packets are padded to 16 bytes, but not beyond the MTU") {
    World world;
    auto [a, b] = world.make_pair();
    std::vector<std::size_t> sizes;
    world.tap = [&](Datagram& datagram, UdpAddress&, UdpAddress&) {
        if (datagram[0] == 4) sizes.push_back(datagram.size() - data::overhead);
        return true;
    };
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 0, 100));
    world.run_for(50ms);
    for (const std::size_t size : {100U, 112U, 1413U, 1420U})
        world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 0, size));
    a->tunnel.set_mtu(0);
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 0, 1413));
    world.run_for(50ms);
    CHECK(sizes == std::vector<std::size_t>{112, 112, 112, 1420, 1420, 1424});
    for (const auto& packet : b->delivered) CHECK(packet.size() % 16 != 1);
    CHECK(b->delivered.at(3).size() == 1413); // the padding is gone again
}

TEST_CASE("packets wait for a session, the newest of them, and go in order") {
    World world;
    auto [a, b] = world.make_pair();
    for (std::uint32_t i = 0; i < 200; ++i)
        world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", i));
    CHECK(a->tunnel.counters().staged_dropped == 200 - most_staged_packets);
    world.run_for(100ms);
    REQUIRE(b->delivered.size() == most_staged_packets);
    for (std::uint32_t i = 0; i < most_staged_packets; ++i)
        CHECK(number_of(b->delivered[i]) == 200 - most_staged_packets + i);
}

TEST_CASE("packets that wait are bounded in bytes too") {
    World world;
    auto [a, b] = world.make_pair();
    for (std::uint32_t i = 0; i < 20; ++i)
        world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", i, 60000));
    CHECK(World::peer_of(*a, *b).staged.size() == most_staged_bytes / 60000);
}

TEST_CASE("packets that wait are bounded for all peers together, and the newest stay") {
    World world;
    Host& host = world.add_host();
    constexpr std::uint32_t peers = 2 * most_staged_bytes_of_all / most_staged_bytes;
    Host& other = world.add_host();
    const auto name = [](std::uint32_t i) { return fmt::format("10.1.{}.{}", i / 256, i % 256); };
    for (std::uint32_t i = 0; i < peers; ++i) {
        Peer& peer = *host.tunnel.add_peer(public_key(generate_private_key()));
        host.tunnel.allowed_ips().insert(*Prefix::parse(name(i) + "/32"), peer);
        host.tunnel.set_endpoint(peer, other.address, world.now, host.actions);
    }
    for (std::uint32_t round = 0; round < 5; ++round)
        for (std::uint32_t i = 0; i < peers; ++i)
            world.send(host, numbered_packet("10.0.0.1", name(i).c_str(), round, 60000));
    std::size_t bytes = 0;
    for (const Peer& peer : host.tunnel.peers()) bytes += peer.staged.size() * 60000;
    CHECK(bytes <= most_staged_bytes_of_all);
    CHECK(bytes > most_staged_bytes_of_all - 60000);
    CHECK(host.tunnel.counters().staged_dropped == 5 * peers - bytes / 60000);
    // A peer that has something in the queue gets its newest packet in for it.
    Peer& first = host.tunnel.peers().front();
    REQUIRE_FALSE(first.staged.empty());
    StagedTotal all = most_staged_bytes_of_all;
    std::optional<std::vector<std::uint8_t>> newest;
    while (auto packet = first.staged.pop(all)) newest = packet;
    CHECK(number_of(*newest) == 4);
    // What is gone leaves room for others.
    host.tunnel.set_up(false, world.now, host.actions);
    host.tunnel.set_up(true, world.now, host.actions);
    world.send(host, numbered_packet("10.0.0.1", name(peers - 1).c_str(), 9, 60000));
    CHECK(host.tunnel.peers().back().staged.size() == 1);
}

TEST_CASE("a data message counts once, however often it arrives") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 0));
    world.run_for(50ms);
    Datagram copy;
    world.tap = [&](Datagram& datagram, UdpAddress&, UdpAddress&) {
        if (datagram[0] == 4 && copy.empty()) copy = datagram;
        return true;
    };
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 1));
    world.run_for(50ms);
    world.tap = nullptr;
    const auto received = World::peer_of(*b, *a).received_bytes;
    const UdpAddress elsewhere{*IpAddress::parse("198.51.100.9"), 9, 0};
    world.arrive(*b, copy, elsewhere);
    CHECK(b->delivered.size() == 2);
    CHECK(b->tunnel.counters().replayed == 1);
    CHECK(World::peer_of(*b, *a).received_bytes == received);
    CHECK(World::peer_of(*b, *a).path->remote == a->address); // a copy moves nobody
}

TEST_CASE("a damaged message changes nothing, wherever the damage is") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 0));
    world.run_for(50ms);
    Datagram good;
    world.tap = [&](Datagram& datagram, UdpAddress&, UdpAddress&) {
        good = datagram;
        return false;
    };
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 1));
    world.tap = nullptr;
    for (std::size_t i = 0; i < good.size(); ++i) {
        Datagram bad = good;
        bad[i] ^= 0x40;
        world.arrive(*b, bad, a->address);
        Datagram cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i));
        if (!cut.empty()) world.arrive(*b, cut, a->address);
    }
    CHECK(b->delivered.size() == 1);
    world.arrive(*b, good, a->address); // and the good one still passes
    CHECK(b->delivered.size() == 2);
}

TEST_CASE("a peer's address follows its authentic messages") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 0));
    world.run_for(50ms);
    a->address = {*IpAddress::parse("198.51.100.7"), 7777, 0};
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 1));
    world.run_for(50ms);
    CHECK(World::peer_of(*b, *a).path->remote == a->address);
    world.send(*b, numbered_packet("10.0.0.2", "10.0.0.1", 2));
    world.run_for(50ms);
    CHECK(a->delivered.size() == 1);
}

TEST_CASE("a source that belongs to another peer is dropped, but the sender has spoken") {
    World world;
    auto [a, b] = world.make_pair();
    Host& c = world.add_host();
    // b accepts the whole network from a, but one address of it is c's.
    b->tunnel.allowed_ips().insert(*Prefix::parse("10.0.0.0/24"), World::peer_of(*b, *a));
    world.add_peer(*b, c, "10.0.0.3/32");
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 0));
    world.run_for(50ms);
    a->address.port = 9;
    world.send(*a, numbered_packet("10.0.0.3", "10.0.0.2", 1));
    world.run_for(50ms);
    CHECK(b->delivered.size() == 1);
    CHECK(b->tunnel.counters().wrong_source == 1);
    CHECK(World::peer_of(*b, *a).path->remote.port == 9);
}

TEST_CASE("what is no IP packet is dropped after authentication") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 0));
    world.run_for(50ms);
    auto too_long = numbered_packet("10.0.0.1", "10.0.0.2", 1);
    // Straight into the queue: the TUN side would refuse it.
    too_long[3] = 200;
    StagedTotal total = 0;
    World::peer_of(*a, *b).staged.push(too_long, total);
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.9", 2)); // no peer: only wakes nothing
    a->tunnel.start_peer(World::peer_of(*a, *b), world.now, a->actions);
    world.run_for(50ms);
    CHECK(b->tunnel.counters().bad_packet == 1);
    CHECK(b->delivered.size() == 1);
}

TEST_CASE("a packet without a peer is answered with an ICMP error, at a bounded rate") {
    World world;
    Host& a = world.add_host();
    world.send(a, numbered_packet("10.0.0.1", "10.0.0.9", 1));
    REQUIRE(a.errors.size() == 1);
    CHECK(a.errors[0][9] == 1);  // ICMP
    CHECK(a.errors[0][20] == 3); // unreachable
    CHECK(a.errors[0][21] == 1); // host
    CHECK(internet_checksum(Bytes(a.errors[0]).subspan(20)) == 0);
    CHECK(internet_checksum(Bytes(a.errors[0]).first(20)) == 0);
    world.send(a, numbered_packet("fd00::1", "fd00::9", 1));
    REQUIRE(a.errors.size() == 2);
    CHECK(a.errors[1][40] == 1);
    CHECK(a.errors[1][41] == 3);
    CHECK(transport_checksum(a.errors[1], 40, 58) == 0);
    for (std::uint32_t i = 0; i < 1000; ++i)
        world.send(a, numbered_packet("10.0.0.1", "10.0.0.9", i));
    CHECK(a.errors.size() < 200);
    const auto before = a.errors.size();
    world.sleep_for(1s);
    world.send(a, a.errors[0]); // never about an error
    world.send(a, numbered_packet("10.0.0.1", "224.0.0.1", 1));
    CHECK(a.errors.size() == before);
}

TEST_CASE("ECN: congestion outside is told inside, if the sender understands it") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", 0));
    world.run_for(50ms);
    std::vector<Datagram> caught;
    world.tap = [&](Datagram& datagram, UdpAddress&, UdpAddress&) {
        caught.push_back(datagram);
        return false;
    };
    for (const unsigned tos : {0U, 2U, 1U, 3U}) {
        auto packet = numbered_packet("10.0.0.1", "10.0.0.2", tos);
        packet[1] = static_cast<std::uint8_t>(0xb8U | tos);
        world.send(*a, packet);
    }
    world.tap = nullptr;
    b->delivered.clear();
    for (const auto& datagram : caught) world.arrive(*b, datagram, a->address, 3);
    std::vector<int> seen;
    for (const auto& packet : b->delivered) seen.push_back(packet[1] & 3);
    CHECK(seen == std::vector{0, 3, 3, 3});
}

TEST_CASE("a lossy, reordering, duplicating network: all that arrives is right and arrives once") {
    World world;
    world.link = {0.1, 0.1, 5ms, 30ms};
    auto [a, b] = world.make_pair();
    for (std::uint32_t i = 0; i < 5000; ++i) {
        world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", i, 40 + i % 1300));
        world.send(*b, numbered_packet("10.0.0.2", "10.0.0.1", i, 40 + i % 700));
        world.run_for(100ms); // several rekeys on the way
    }
    for (Host* host : {a, b}) {
        std::vector<bool> seen(5000);
        for (const auto& packet : host->delivered) {
            const auto number = number_of(packet);
            REQUIRE(number < 5000);
            REQUIRE_FALSE(seen[number]);
            seen[number] = true;
            const bool to_b = host == b;
            REQUIRE(packet
                    == numbered_packet(to_b ? "10.0.0.1" : "10.0.0.2",
                                       to_b ? "10.0.0.2" : "10.0.0.1", number,
                                       40 + number % (to_b ? 1300 : 700)));
        }
        CHECK(host->delivered.size() > 4300);
    }
    CHECK(a->tunnel.counters().handshakes_completed >= 4);
}
