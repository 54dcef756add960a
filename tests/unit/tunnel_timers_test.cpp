// Timers (WireGuard paper, section 6) with a clock that only the test moves.
#include "support/catch.hpp"
#include "support/tunnel_world.hpp"

using namespace wgkit;
using namespace wgkit::test;
using namespace std::chrono_literals;

namespace {

const Datagram pong = numbered_packet("10.0.0.2", "10.0.0.1", 1);

/// When each datagram of a type was sent, counted from `begin`.
std::vector<std::chrono::duration<double>> times(World& world, std::uint8_t type,
                                                 std::chrono::seconds duration) {
    std::vector<std::chrono::duration<double>> seen;
    const Instant begin = world.now.boot;
    world.tap = [&](Datagram& datagram, UdpAddress&, UdpAddress&) {
        if (datagram[0] == type) seen.push_back(world.now.boot - begin);
        return true;
    };
    world.run_for(duration);
    world.tap = nullptr;
    return seen;
}

} // namespace

TEST_CASE("received data is answered by one keepalive after 10 s, and keepalives by none") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, ping);
    world.run_for(50ms);
    const auto sent = times(world, 4, 300s);
    // One from b, then silence: no keepalive answers a keepalive.
    REQUIRE(sent.size() == 1);
    CHECK(sent[0] >= 9.9s);
    CHECK(sent[0] <= 10.1s);
    CHECK(b->tunnel.counters().keepalives_sent == 1);
    CHECK(a->tunnel.counters().initiations_sent == 1);
}

TEST_CASE("data in both directions needs no keepalive") {
    World world;
    auto [a, b] = world.make_pair();
    for (int i = 0; i < 60; ++i) {
        world.send(*a, ping);
        world.run_for(500ms);
        world.send(*b, pong);
        world.run_for(500ms);
    }
    CHECK(a->tunnel.counters().keepalives_sent + b->tunnel.counters().keepalives_sent == 0);
}

TEST_CASE("data that comes while a keepalive is due brings another one") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, ping);
    world.run_for(50ms);
    for (int i = 0; i < 15; ++i) {
        world.send(*a, ping);
        world.run_for(1s);
    }
    world.run_for(60s);
    // After 10 s, and after 20 and 30 s for what came meanwhile, as in the kernel.
    CHECK(b->tunnel.counters().keepalives_sent == 3);
}

TEST_CASE("no answer: 20 tries, 5 s and some jitter apart, then all that waited is dropped") {
    World world;
    auto [a, b] = world.make_pair();
    world.link.loss = 1;
    world.send(*a, ping);
    const auto tries = times(world, 1, 300s);
    // The first went before the clock of `times` began.
    REQUIRE(world.sent_types[1] == 20);
    for (std::size_t i = 1; i < tries.size(); ++i) {
        CHECK(tries[i] - tries[i - 1] >= 5s);
        CHECK(tries[i] - tries[i - 1] <= 5.34s);
    }
    CHECK(a->tunnel.counters().handshakes_given_up == 1);
    CHECK(World::peer_of(*a, *b).staged.empty());
    // A new packet begins anew.
    world.link.loss = 0;
    world.send(*a, ping);
    world.run_for(100ms);
    CHECK(b->delivered.size() == 1);
}

TEST_CASE("unanswered data begins a new handshake after 15 s") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, ping);
    world.run_for(30s);
    REQUIRE(world.sent_types[1] == 1);
    world.link.loss = 1;
    world.send(*a, ping);
    const auto tries = times(world, 1, 16s);
    REQUIRE(tries.size() == 1);
    CHECK(tries[0] >= 15s);
    CHECK(tries[0] <= 15.34s);
    (void)b;
}

TEST_CASE("the initiator renews a session after 120 s of use, the responder does not") {
    World world;
    auto [a, b] = world.make_pair();
    std::uint32_t sent = 0;
    for (; sent < 130; ++sent) {
        world.send(*a, numbered_packet("10.0.0.1", "10.0.0.2", sent));
        world.run_for(1s);
        world.send(*b, numbered_packet("10.0.0.2", "10.0.0.1", sent));
    }
    world.run_for(1s);
    CHECK(a->tunnel.counters().initiations_sent == 2);
    CHECK(b->tunnel.counters().initiations_sent == 0);
    CHECK(b->delivered.size() == sent); // and nothing was lost
    CHECK(a->delivered.size() == sent);
}

TEST_CASE("an initiator that only receives renews at 165 s") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, ping);
    world.run_for(1s);
    for (int i = 0; i < 170; ++i) {
        world.send(*b, pong);
        world.run_for(1s);
    }
    // a sends keepalives, which renew at 120 s like all that it sends; without them 165 s decide.
    CHECK(a->tunnel.counters().initiations_sent == 2);
    CHECK(a->delivered.size() == 170);
}

TEST_CASE("a session that is 180 s old neither sends nor receives") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, ping);
    world.run_for(50ms);
    Datagram late;
    world.tap = [&](Datagram& datagram, UdpAddress&, UdpAddress&) {
        late = datagram;
        return false;
    };
    world.send(*a, ping);
    world.tap = nullptr;
    world.sleep_for(180s);
    world.arrive(*b, late, a->address);
    CHECK(b->tunnel.counters().expired_session == 1);
    CHECK(b->delivered.size() == 1);
    world.send(*a, ping);
    world.run_for(100ms);
    CHECK(world.sent_types[1] >= 2);
    CHECK(b->delivered.size() == 2);
}

TEST_CASE("keys are gone 540 s after the last session was made") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, ping);
    world.run_for(539s);
    CHECK(World::peer_of(*a, *b).current != nullptr);
    CHECK(World::peer_of(*b, *a).current != nullptr);
    world.run_for(2s);
    for (auto* peer : {&World::peer_of(*a, *b), &World::peer_of(*b, *a)}) {
        CHECK(peer->current == nullptr);
        CHECK(peer->previous == nullptr);
        CHECK(peer->next == nullptr);
        CHECK_FALSE(peer->initiator);
    }
    CHECK(a->tunnel.next_timer() == never); // an idle peer costs nothing
}

TEST_CASE("a persistent keepalive goes at once and then every interval without traffic") {
    World world;
    auto [a, b] = world.make_pair();
    a->tunnel.set_persistent_keepalive(World::peer_of(*a, *b), 25s, world.now, a->actions);
    world.run_for(1s);
    CHECK(b->tunnel.counters().keepalives_received == 1);
    const auto sent = times(world, 4, 100s);
    REQUIRE(sent.size() == 4);
    CHECK(sent[1] - sent[0] >= 24.9s);
    CHECK(sent[1] - sent[0] <= 25.1s);
    a->tunnel.set_persistent_keepalive(World::peer_of(*a, *b), 0s, world.now, a->actions);
    CHECK(times(world, 4, 100s).empty());
}

TEST_CASE("peers that are started together begin their handshakes a few at a time") {
    World world;
    auto [a, b] = world.make_pair();
    a->tunnel.set_up(false, world.now, a->actions);
    for (int i = 0; i < 1000; ++i) {
        Peer& peer = *a->tunnel.add_peer(public_key(generate_private_key()));
        a->tunnel.set_endpoint(peer, b->address, world.now, a->actions);
        a->tunnel.set_persistent_keepalive(peer, 25s, world.now, a->actions);
    }
    CHECK(a->tunnel.next_timer() == never);
    a->tunnel.set_up(true, world.now, a->actions);
    CHECK(a->tunnel.counters().initiations_sent == 0);
    a->tunnel.on_timer(4, world.now, a->actions);
    CHECK(a->tunnel.counters().initiations_sent == 4);
    CHECK(a->tunnel.next_timer() <= world.now.boot); // the others' time has come as well
    world.run_for(1s);
    CHECK(a->tunnel.counters().initiations_sent == 1000);
}

TEST_CASE("traffic takes the place of persistent keepalives") {
    World world;
    auto [a, b] = world.make_pair();
    a->tunnel.set_persistent_keepalive(World::peer_of(*a, *b), 25s, world.now, a->actions);
    world.run_for(1s);
    const auto before = a->tunnel.counters().keepalives_sent;
    for (int i = 0; i < 50; ++i) {
        world.send(*a, ping);
        world.run_for(2s);
        world.send(*b, pong);
    }
    CHECK(a->tunnel.counters().keepalives_sent == before);
}

TEST_CASE("with a persistent keepalive the tunnel comes back without data") {
    World world;
    auto [a, b] = world.make_pair();
    world.link.loss = 1;
    a->tunnel.set_persistent_keepalive(World::peer_of(*a, *b), 25s, world.now, a->actions);
    world.run_for(300s); // given up once or twice meanwhile
    CHECK(a->tunnel.counters().handshakes_given_up >= 1);
    world.link.loss = 0;
    world.run_for(31s);
    CHECK(World::peer_of(*b, *a).current != nullptr);
}

TEST_CASE("sleep counts: a session that ended meanwhile is made anew") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, ping);
    world.run_for(1s);
    world.sleep_for(1h);
    world.send(*a, ping);
    world.run_for(1s);
    CHECK(b->delivered.size() == 2);
}

TEST_CASE("a wall clock that goes backwards costs no session and breaks nothing") {
    World world;
    auto [a, b] = world.make_pair();
    world.send(*a, ping);
    world.run_for(1s);
    world.now.wall -= 1h;
    for (int i = 0; i < 80; ++i) {
        world.send(*a, ping);
        world.run_for(5s);
        world.send(*b, pong);
        world.run_for(100ms);
    }
    // Renewals went through: timestamps go on from the newest one.
    CHECK(b->tunnel.counters().initiations_received >= 3);
    CHECK(b->delivered.size() == 81);
    CHECK(a->delivered.size() == 80);
}

TEST_CASE("a device that goes down forgets its sessions; when it is up again they are made anew") {
    World world;
    auto [a, b] = world.make_pair();
    a->tunnel.set_persistent_keepalive(World::peer_of(*a, *b), 25s, world.now, a->actions);
    world.run_for(1s);
    a->tunnel.set_up(false, world.now, a->actions);
    CHECK(World::peer_of(*a, *b).current == nullptr);
    CHECK(a->tunnel.next_timer() == never);
    world.run_for(60s);
    a->tunnel.set_up(true, world.now, a->actions);
    world.run_for(1s);
    CHECK(World::peer_of(*a, *b).current != nullptr);
}
