// Handshakes between tunnels: who may, how often, and under load.
#include "support/catch.hpp"
#include "support/tunnel_world.hpp"

using namespace wgkit;
using namespace wgkit::test;
using namespace std::chrono_literals;

namespace {

/// The first message of a type that passes, which is not delivered.
Datagram intercept(World& world, std::uint8_t type, const std::function<void()>& act) {
    Datagram caught;
    world.tap = [&](Datagram& datagram, UdpAddress&, UdpAddress&) {
        if (datagram[0] != type || !caught.empty()) return true;
        caught = datagram;
        return false;
    };
    act();
    world.run_for(100ms);
    world.tap = nullptr;
    return caught;
}

/// Valid initiations of strangers: mac1 is right, which everybody can compute.
Datagram stranger_initiation(World& world, const Host& to) {
    Host& stranger = world.add_host();
    world.add_peer(stranger, to, "0.0.0.0/0");
    return intercept(world, 1, [&] { world.send(stranger, ping); });
}

/// Fills the host's queue so that it is under load.
void load(World& world, Host& host) {
    const Datagram initiation = stranger_initiation(world, host);
    for (std::size_t i = 0; i < loaded_from; ++i) {
        Received received;
        Datagram copy = initiation;
        received.bytes = copy;
        received.segment_size = copy.size();
        received.path.remote = {*IpAddress::parse("203.0.113.5"), 5, 0};
        host.tunnel.on_udp(received, world.now, host.actions);
    }
}

} // namespace

TEST_CASE("preshared keys must agree, and may change without a break") {
    World world;
    auto [a, b] = world.make_pair();
    const PresharedKey psk = generate_preshared_key();
    a->tunnel.set_preshared_key(World::peer_of(*a, *b), psk.clone());
    world.send(*a, ping);
    world.run_for(1s);
    CHECK(b->delivered.empty());
    CHECK(a->tunnel.counters().bad_handshake > 0);
    b->tunnel.set_preshared_key(World::peer_of(*b, *a), psk.clone());
    world.run_for(10s);
    CHECK(b->delivered.size() == 1);
    // A new one takes effect with the next handshake; the session stays.
    b->tunnel.set_preshared_key(World::peer_of(*b, *a), generate_preshared_key());
    world.send(*a, ping);
    world.run_for(100ms);
    CHECK(b->delivered.size() == 2);
}

TEST_CASE("a replayed initiation is refused") {
    World world;
    auto [a, b] = world.make_pair();
    const Datagram initiation = intercept(world, 1, [&, a = a] { world.send(*a, ping); });
    world.arrive(*b, initiation, a->address);
    CHECK(b->tunnel.counters().responses_sent == 1);
    world.sleep_for(1s);
    world.arrive(*b, initiation, {*IpAddress::parse("198.51.100.9"), 9, 0});
    CHECK(b->tunnel.counters().responses_sent == 1);
    CHECK(b->tunnel.counters().bad_handshake == 1);
    CHECK(World::peer_of(*b, *a).path->remote == a->address);
}

TEST_CASE(
    "an initiation that is older than one already accepted is refused, also after the session") {
    World world;
    auto [a, b] = world.make_pair();
    const Datagram old = intercept(world, 1, [&, a = a] { world.send(*a, ping); });
    world.run_for(10s); // the next one is accepted
    REQUIRE(b->tunnel.counters().responses_sent == 1);
    world.sleep_for(1h);
    world.run_for(1s);
    const auto before = b->tunnel.counters();
    world.arrive(*b, old, a->address);
    CHECK(b->tunnel.counters().responses_sent == before.responses_sent);
    CHECK(b->tunnel.counters().bad_handshake == before.bad_handshake + 1);
}

TEST_CASE("forged and replayed responses change nothing, the real one still counts") {
    World world;
    auto [a, b] = world.make_pair();
    const Datagram response = intercept(world, 2, [&, a = a] { world.send(*a, ping); });
    REQUIRE(response.size() == response::size);
    for (std::size_t i = 0; i < response.size() - 32; i += 3) {
        Datagram bad = response;
        bad[i] ^= 1;
        world.arrive(*a, bad, b->address);
    }
    CHECK(a->tunnel.counters().handshakes_completed == 0);
    world.arrive(*a, response, b->address);
    CHECK(a->tunnel.counters().handshakes_completed == 1);
    world.arrive(*a, response, b->address); // a second time it answers nothing
    CHECK(a->tunnel.counters().handshakes_completed == 1);
    world.run_for(1s);
    CHECK(b->delivered.size() == 1);
}

TEST_CASE("initiations of one peer closer than 20 ms are dropped") {
    World world;
    auto [a, b] = world.make_pair();
    const Datagram first = intercept(world, 1, [&, a = a] { world.send(*a, ping); });
    World::peer_of(*a, *b).last_sent_handshake = Instant::min();
    world.sleep_for(10ms);
    const Datagram second = intercept(world, 1, [&, a = a] { world.send(*a, ping); });
    world.arrive(*b, first, a->address);
    world.arrive(*b, second, a->address);
    CHECK(b->tunnel.counters().responses_sent == 1);
    CHECK(b->tunnel.counters().rate_limited == 1);
}

TEST_CASE("both sides may begin at once; nothing is lost and no third handshake follows") {
    World world;
    auto [a, b] = world.make_pair();
    for (std::uint32_t i = 0; i < 20; ++i) {
        world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", i));
        world.send(*b, numbered_packet("10.0.0.2", "10.0.0.1", i));
        world.run_for(1ms);
    }
    world.run_for(30s);
    CHECK(a->delivered.size() == 20);
    CHECK(b->delivered.size() == 20);
    CHECK(world.sent_types[1] == 2);
}

TEST_CASE("a stranger's initiation is not answered") {
    World world;
    auto [a, b] = world.make_pair();
    (void)a;
    world.arrive(*b, stranger_initiation(world, *b), {*IpAddress::parse("203.0.113.5"), 5, 0});
    CHECK(b->tunnel.counters().bad_handshake == 1);
    CHECK(b->tunnel.counters().responses_sent == 0);
}

TEST_CASE("a wrong mac1 costs nothing but the check") {
    World world;
    auto [a, b] = world.make_pair();
    Datagram initiation = intercept(world, 1, [&, a = a] { world.send(*a, ping); });
    initiation[120] ^= 1;
    world.arrive(*b, initiation, a->address);
    CHECK(b->tunnel.counters().bad_mac1 == 1);
    CHECK_FALSE(b->tunnel.has_work());
}

TEST_CASE("under load an honest peer gets a cookie and completes its handshake with it") {
    World world;
    auto [a, b] = world.make_pair();
    load(world, *b);
    const auto before = b->actions.send.trains().size();
    CHECK(before == 0); // no cookie before the queue was full enough
    world.send(*a, ping);
    world.run_for(100ms);
    CHECK(b->tunnel.counters().cookies_sent == 1);
    CHECK(a->tunnel.counters().cookies_received == 1);
    CHECK(b->tunnel.counters().responses_sent == 0);
    load(world, *b); // still under load when the initiation is repeated
    world.run_for(4s);
    load(world, *b);
    world.run_for(1900ms);
    CHECK(b->tunnel.counters().responses_sent == 1);
    CHECK(b->delivered.size() == 1);
}

TEST_CASE("a cookie moves nobody and is accepted once") {
    World world;
    auto [a, b] = world.make_pair();
    load(world, *b);
    const Datagram cookie = intercept(world, 3, [&, a = a] { world.send(*a, ping); });
    REQUIRE(cookie.size() == cookie_reply::size);
    const UdpAddress liar{*IpAddress::parse("198.51.100.66"), 66, 0};
    Datagram forged = cookie;
    forged.back() ^= 1;
    world.arrive(*a, forged, liar);
    CHECK(a->tunnel.counters().cookies_received == 0);
    world.arrive(*a, cookie, liar);
    CHECK(a->tunnel.counters().cookies_received == 1);
    CHECK(World::peer_of(*a, *b).path->remote == b->address);
    world.arrive(*a, cookie, liar);
    CHECK(a->tunnel.counters().cookies_received == 1);
}

TEST_CASE("under load one source gets 5 handshakes at once, an IPv6 /64 together") {
    RateLimiter limiter;
    const Instant now(10s);
    const auto ip = [](const char* text) { return *IpAddress::parse(text); };
    for (int i = 0; i < 5; ++i) CHECK(limiter.allow(ip("192.0.2.1"), now));
    CHECK_FALSE(limiter.allow(ip("192.0.2.1"), now));
    CHECK(limiter.allow(ip("192.0.2.2"), now));
    CHECK_FALSE(limiter.allow(ip("192.0.2.1"), now + 49ms));
    CHECK(limiter.allow(ip("192.0.2.1"), now + 50ms));
    for (int i = 0; i < 5; ++i)
        CHECK(limiter.allow(ip(("2001:db8::" + std::to_string(i + 1)).c_str()), now));
    CHECK_FALSE(limiter.allow(ip("2001:db8::ffff:1:2:3"), now));
    CHECK(limiter.allow(ip("2001:db8:0:1::1"), now));
    CHECK(limiter.allow(ip("192.0.2.1"), now + 10s));
    CHECK(limiter.size() == 1); // those that were full again are forgotten
}

TEST_CASE("who asks for cookies too often is not answered, others are, and later it is again") {
    SourceSketch sketch;
    const Instant now(10s);
    const auto ip = [](const char* text) { return *IpAddress::parse(text); };
    for (int i = 0; i < 100'000; ++i) {
        const bool answered = sketch.allow(ip("192.0.2.1"), 2, now);
        REQUIRE(answered == (i < 2));
    }
    CHECK(sketch.allow(ip("192.0.2.2"), 2, now));
    CHECK(sketch.allow(ip("2001:db8::1"), 2, now));
    CHECK(sketch.allow(ip("2001:db8::2"), 2, now));
    CHECK_FALSE(sketch.allow(ip("2001:db8::3"), 2, now)); // the same /64
    CHECK(sketch.allow(ip("192.0.2.1"), 2, now + 6s));
}

TEST_CASE("100,000 forged sources leave room for an honest one") {
    int answered = 0;
    for (int trial = 0; trial < 20; ++trial) {
        SourceSketch sketch;
        const Instant now(10s);
        for (std::uint32_t i = 0; i < 100'000; ++i) {
            std::array<std::uint8_t, 4> bytes{};
            store_be32(bytes.data(), 0x0a000000 + i);
            for (int twice = 0; twice < 2; ++twice)
                (void)sketch.allow(IpAddress::from_bytes(Family::ipv4, bytes), 2, now);
        }
        answered += sketch.allow(*IpAddress::parse("192.0.2.1"), 2, now) ? 1 : 0;
    }
    CHECK(answered >= 14); // about nine in ten
}

TEST_CASE("many sources do not make the rate limiter grow without bound") {
    RateLimiter limiter;
    const Instant now(10s);
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        std::array<std::uint8_t, 4> bytes{};
        store_be32(bytes.data(), i);
        (void)limiter.allow(IpAddress::from_bytes(Family::ipv4, bytes), now);
    }
    CHECK(limiter.size() <= 8192);
}

TEST_CASE("keys of low order may be configured but nothing is ever sent to them") {
    // The seven points of small order on Curve25519 (https://cr.yp.to/ecdh.html#validate).
    World world;
    Host& a = world.add_host();
    const UdpAddress somewhere{*IpAddress::parse("192.0.2.77"), 7, 0};
    PublicKey zero;
    PublicKey one;
    one.bytes[0] = 1;
    PublicKey minus_one;
    minus_one.bytes.fill(0xff);
    minus_one.bytes[0] = 0xec;
    minus_one.bytes[31] = 0x7f;
    for (const PublicKey& key : {zero, one, minus_one}) {
        Peer& peer = *a.tunnel.add_peer(key);
        a.tunnel.set_endpoint(peer, somewhere, world.now, a.actions);
        a.tunnel.set_persistent_keepalive(peer, 1s, world.now, a.actions);
    }
    world.run_for(60s);
    CHECK(world.datagrams == 0);
    CHECK(a.tunnel.peers().size() == 3);
}

TEST_CASE("our own key makes no peer, and a peer goes when its key becomes ours") {
    World world;
    auto [a, b] = world.make_pair();
    CHECK(a->tunnel.add_peer(a->key()) == nullptr);
    const PrivateKey key = b->tunnel.identity()->private_key.clone();
    a->tunnel.set_private_key(key.clone());
    CHECK(a->tunnel.peers().empty());
    CHECK(a->tunnel.allowed_ips().empty());
}

TEST_CASE("after our key changed, the old session sends no more and a new one follows at once") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, ping);
    world.run_for(50ms);
    Peer& old = World::peer_of(*b, *a);
    a->tunnel.set_private_key(generate_private_key());
    b->tunnel.remove_peer(old);
    world.add_peer(*b, *a, "10.0.0.1/32");
    world.send(*a, ping);
    world.run_for(100ms);
    CHECK(b->delivered.size() == 2);
    CHECK(world.sent_types[1] == 2);
}

TEST_CASE("a new endpoint is tried at once if a handshake waits and there is no session") {
    World world;
    auto [a, b] = world.make_pair();
    Peer& peer = World::peer_of(*a, *b);
    a->tunnel.set_endpoint(peer, {*IpAddress::parse("192.0.2.200"), 1, 0}, world.now, a->actions);
    world.send(*a, ping);
    world.run_for(1s);
    CHECK(b->delivered.empty());
    a->tunnel.set_endpoint(peer, b->address, world.now, a->actions);
    world.run_for(100ms);
    CHECK(b->delivered.size() == 1);
}
