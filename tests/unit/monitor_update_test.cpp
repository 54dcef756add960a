#include "monitor/silence.hpp"
#include "support/catch.hpp"
#include "wgkit/monitor.hpp"

using namespace wgkit;
using namespace wgkit::monitor;

namespace {

constexpr std::int64_t epoch = 1'700'000'000;

/// A peer that is looked at from time to time; every function takes seconds since `epoch`.
struct Watched {
    PeerSample sample;
    Rule rule;
    PeerState state;
    std::int64_t clock_error = 0; ///< of the wall clock

    Watched(std::uint16_t keepalive, bool endpoint) {
        sample.keepalive = keepalive;
        if (endpoint) sample.endpoint = "192.0.2.1:51820";
    }
    Verdict look(std::int64_t second, std::int64_t handshake, std::uint64_t rx, std::uint64_t tx) {
        sample.handshake = handshake;
        sample.rx = rx;
        sample.tx = tx;
        state = update(std::move(state), sample, seconds(epoch + second),
                       seconds(epoch + second + clock_error), rule);
        return state.verdict;
    }
    void glance(std::int64_t second, std::uint64_t rx, std::uint64_t tx) {
        PeerSample now = sample;
        now.rx = rx;
        now.tx = tx;
        note_asked(state, now, seconds(epoch + second));
    }
    Verdict look_at(std::int64_t second, std::int64_t handshake, std::uint64_t rx,
                    std::uint64_t tx) {
        return look(second, epoch + handshake, rx, tx);
    }
};

} // namespace

TEST_CASE("a peer that was never heard is trouble only if it should be up") {
    Watched roaming(0, false), expected(25, true);
    CHECK(roaming.look(0, 0, 0, 0) == Verdict::never);
    CHECK(roaming.state.level == Level::ok);
    CHECK(expected.look(0, 0, 0, 148) == Verdict::never);
    CHECK(expected.state.level == Level::warning);
    CHECK(expected.look(20, 0, 0, 5 * 148) == Verdict::never);
    CHECK(expected.state.cause == Cause::asked_in_vain);
}

TEST_CASE("two looks closer than 16 seconds prove nothing") {
    Watched peer(25, true);
    peer.look_at(0, -60, 1000, 1000);
    CHECK(peer.look_at(12, -60, 1000, 1000 + 2 * 148) == Verdict::up);
    CHECK(peer.look_at(17, -60, 1000, 1000 + 3 * 148) == Verdict::up); // came too soon
    CHECK(peer.look_at(24, -60, 1000, 1000 + 4 * 148) == Verdict::unreachable);
}

TEST_CASE("a run that comes too soon does not move what the next is compared with") {
    Watched peer(25, true);
    peer.look_at(0, -60, 1000, 1000);
    for (int second = 1; second < 10; ++second)
        CHECK(peer.look_at(second, -60, 1000, 1000) == Verdict::up);
    CHECK(peer.state.looks.size() == 1);
    CHECK(peer.look_at(30, -60, 1000, 1000 + 3 * 148) == Verdict::unreachable);
}

TEST_CASE("a run that comes too soon can tell that the peer is back") {
    Watched peer(25, true);
    peer.look_at(0, -60, 1000, 1000);
    CHECK(peer.look_at(30, -60, 1000, 1000 + 3 * 148) == Verdict::unreachable);
    CHECK(peer.look_at(32, 31, 1092, 1000 + 4 * 148) == Verdict::up);
}

TEST_CASE("keepalives and one-way data are not unanswered, and data is after 15 seconds") {
    Watched peer(25, true);
    peer.look_at(0, -30, 1000, 1000);
    CHECK(peer.look_at(30, -30, 1000, 1000 + 2 * 32) == Verdict::up);
    CHECK(peer.look_at(60, -30, 1000, 1000 + 2 * 32 + 9600) == Verdict::up); // just sent
    CHECK(peer.look_at(70, -30, 1032, 1000 + 2 * 32 + 19200) == Verdict::up);
    CHECK(peer.look_at(85, -30, 1032, 1000 + 2 * 32 + 29600) == Verdict::up);
    CHECK(peer.look_at(100, -30, 1032, 1000 + 2 * 32 + 29600) == Verdict::unreachable);
    CHECK(peer.state.cause == Cause::data);
}

TEST_CASE("full packets are not taken for initiations") {
    Watched peer(0, true);
    peer.look_at(0, -30, 1000, 1000);
    CHECK(peer.look_at(20, -30, 1000, 1000 + 2 * 1452) == Verdict::up); // 1452 is 12 more than 16 n
}

TEST_CASE("a peer without session is idle, stale or mute by what is expected of it") {
    Watched roaming(0, false), mute(25, true), asked(0, false);
    asked.rule.expect = Expect::up;
    for (const int second : {0, 60, 120}) {
        roaming.look_at(second, -300, 1000, 1000);
        mute.look_at(second, -300, 1000, 1000);
        asked.look_at(second, -300, 1000, 1000);
    }
    CHECK(roaming.state.verdict == Verdict::idle);
    CHECK(mute.state.verdict == Verdict::mute);
    CHECK(asked.state.verdict == Verdict::stale);
    Watched first(25, true);
    CHECK(first.look_at(0, -300, 1000, 1000) == Verdict::stale);
    Watched ignored(25, true);
    ignored.rule.expect = Expect::ignore;
    ignored.look_at(0, -300, 1000, 1000);
    CHECK(ignored.state.level == Level::ok);
}

TEST_CASE("the limit is the rule's, but not below what is healthy") {
    CHECK(stale_limit({}, 0) == seconds(210));
    CHECK(stale_limit({}, 25) == seconds(210));
    CHECK(stale_limit({}, 100) == seconds(250));
    const Rule three_minutes{Expect::automatic, seconds(180), false};
    CHECK(stale_limit(three_minutes, 25) == seconds(180));
    CHECK(stale_limit(three_minutes, 100) == seconds(210)); // measured: 198 and 208 s
    const Rule strict{Expect::automatic, seconds(180), true};
    CHECK(stale_limit(strict, 100) == seconds(180));
}

TEST_CASE("keepalives of the peer that come rarely raise the limit, too") {
    PeerState state;
    state.cadence.count = 6;
    state.cadence.during = seconds(600);
    const Rule three_minutes{Expect::automatic, seconds(180), false};
    CHECK(stale_limit(three_minutes, state) == seconds(2 * 110 + 10));
    const Rule strict{Expect::automatic, seconds(180), true};
    CHECK(stale_limit(strict, state) == seconds(180));
}

TEST_CASE("the strict rule is that of a loop over handshakes") {
    Watched peer(0, false);
    peer.rule = {Expect::automatic, seconds(180), true};
    CHECK(peer.look_at(0, -180, 0, 0) == Verdict::up);
    CHECK(peer.look_at(1, -180, 0, 0) == Verdict::stale);
    CHECK(peer.look(2, 0, 0, 0) != Verdict::up);
}

TEST_CASE("counters that fall are a reset and no alarm") {
    Watched peer(25, true);
    peer.look_at(0, -30, 1000, 1000);
    peer.look_at(20, -30, 1000, 1064);
    CHECK(peer.look(40, 0, 0, 148) == Verdict::reset);
    CHECK(peer.state.level == Level::ok);
    CHECK(peer.state.looks.size() == 1);
    CHECK(peer.look_at(60, 41, 92, 180) == Verdict::up);
}

TEST_CASE("a handshake in the future is the clock's fault") {
    Watched peer(25, true);
    CHECK(peer.look_at(0, 100, 1000, 1000) == Verdict::clock);
    CHECK(peer.state.level == Level::warning);
    CHECK(peer.look_at(20, 2 + 20, 1000, 1000) == Verdict::up);
}

TEST_CASE("a step of the clock changes no age") {
    Watched peer(25, true);
    peer.look_at(0, -30, 1000, 1000);
    peer.clock_error = 3600;
    CHECK(peer.look_at(30, -30, 1000, 1032) == Verdict::up);
    CHECK(peer.state.handshake_at == milliseconds(seconds(epoch - 30)));
}

TEST_CASE("engines that tell elapsed seconds are recognised") {
    Watched peer(25, true);
    CHECK(peer.look(0, 5, 1000, 1000) == Verdict::up);
    CHECK(peer.state.elapsed);
    CHECK(peer.look(20, 24, 1000, 1000) == Verdict::up); // rounded: the same handshake
    CHECK(peer.state.handshake_at == milliseconds(seconds(epoch - 5)));
    CHECK(peer.look(40, 3, 2000, 2000) == Verdict::up);
    CHECK(peer.state.handshake_at == milliseconds(seconds(epoch + 37)));
    CHECK(peer.look(240, 0, 2000, 2000) != Verdict::reset); // it forgets expired sessions
    CHECK(peer.look(320, 0, 2000, 2000) == Verdict::stale);
}

TEST_CASE("of engines that do not count handshakes, sent bytes prove nothing") {
    Watched peer(25, true);
    peer.look_at(0, -100, 1000, 1000);
    CHECK(peer.look_at(30, 20, 1000, 1000) == Verdict::up); // a handshake that added nothing
    CHECK(peer.state.uncounted);
    CHECK(peer.look_at(60, 20, 1000, 9000) == Verdict::up);
    CHECK(peer.look_at(90, 20, 1000, 9000) == Verdict::up);
}

TEST_CASE("a peer's keepalives are learned and missed") {
    Watched peer(0, false);
    std::uint64_t rx = 1000;
    for (std::int64_t second = 0; second <= 80; second += 10)
        peer.look_at(second, -10, rx += 32, 500);
    REQUIRE(peer.state.cadence.interval());
    CHECK(*peer.state.cadence.interval() == seconds(10));
    CHECK(is_expected_up(peer.state, {}));
    CHECK(peer.look_at(80 + 39, -10, rx, 500) == Verdict::up);
    CHECK(peer.look_at(80 + 50, -10, rx, 500) == Verdict::lost);
    CHECK(peer.state.level == Level::critical);
    CHECK(peer.look_at(80 + 65, 140, rx + 148, 592) == Verdict::up);
    CHECK_FALSE(peer.state.cadence.interval()); // it may be another now
}

TEST_CASE("answers to data are not learned as keepalives") {
    Watched peer(0, true);
    std::uint64_t rx = 1000, tx = 1000;
    for (std::int64_t second = 0; second < 600; second += 40) {
        peer.look_at(second, second / 120 * 120, rx, tx);
        peer.look_at(second + 20, second / 120 * 120, rx, tx += 128);
        rx += 32;
    }
    CHECK_FALSE(peer.state.cadence.interval());
}

TEST_CASE("a roaming peer that went away is forgotten, one that should be up is not") {
    Watched roaming(0, true), expected(25, true);
    for (Watched* peer : {&roaming, &expected}) {
        peer->look_at(0, -60, 1000, 1000);
        CHECK(peer->look_at(30, -60, 1000, 1000 + 3 * 148) == Verdict::unreachable);
        peer->look_at(200, -60, 1000, 1000 + 3 * 148);
        CHECK(peer->state.verdict == Verdict::unreachable);
        peer->look_at(400, -60, 1000, 1000 + 3 * 148);
    }
    CHECK(roaming.state.verdict == Verdict::idle);
    CHECK(expected.state.verdict == Verdict::unreachable);
}

TEST_CASE("initiations of the peer are no answer to data") {
    // As recorded: the way to the peer is cut, the way back is open (scene loss_to_right).
    Watched peer(0, true);
    peer.look_at(111, 2, 2908, 2964);
    CHECK(peer.look_at(126, 2, 3164, 3496) == Verdict::up);
    CHECK(peer.look_at(141, 2, 3460, 4212) == Verdict::unreachable);
}

TEST_CASE("initiations that are answered and lead to no session are trouble") {
    Watched peer(0, false);
    peer.look_at(0, -300, 1000, 1000);
    CHECK(peer.look_at(30, -300, 1000 + 3 * 148, 1000 + 3 * 92) == Verdict::unreachable);
    CHECK(peer.state.cause == Cause::unconfirmed);
}

TEST_CASE("trouble counts once it has lasted for as many runs as the rule wants") {
    Rule rule;
    rule.expect = Expect::up;
    rule.bad_runs = 3;
    PeerSample sample;
    sample.endpoint = "192.0.2.1:51820";
    sample.keepalive = 25;
    sample.handshake = 1'700'000'000;
    PeerState state;
    const milliseconds start = seconds(1'700'001'000); // long stale
    for (int run = 1; run <= 4; ++run) {
        const milliseconds now = start + seconds(30 * run);
        state = update(std::move(state), sample, now, now, rule);
        CAPTURE(run);
        CHECK((state.level != Level::ok) == (run >= 3));
        CHECK(state.verdict != Verdict::up);
    }
    sample.handshake = 1'700'001'140;
    sample.rx = sample.tx = 1000;
    const milliseconds now = start + seconds(150);
    state = update(std::move(state), sample, now, now, rule);
    CHECK(state.level == Level::ok); // one good run is enough
    CHECK(state.bad_runs == 0);
    CHECK(state.turns.size() == 2);
}

TEST_CASE("an unanswered probe makes no-data of a peer that is up, and of no other") {
    Watched peer(25, true);
    peer.rule.probe = true;
    CHECK(peer.look_at(0, -60, 1000, 1000) == Verdict::up);
    peer.sample.probe = Probe::unanswered;
    CHECK(peer.look_at(30, 10, 1092, 1148) == Verdict::no_data);
    CHECK(peer.state.cause == Cause::probe_unanswered);
    CHECK(peer.state.level == Level::critical);
    CHECK(peer.look_at(35, 10, 1092, 1148) == Verdict::no_data); // a run that comes too soon
    CHECK(peer.look_at(60, 10, 1092, 1148 + 3 * 148) == Verdict::unreachable);
    peer.sample.probe = Probe::answered;
    CHECK(peer.look_at(90, 80, 1184, 1148 + 4 * 148) == Verdict::up);
}

TEST_CASE("only peers that should be up and seem so are probed, at an address that is routed") {
    const auto seen = [](std::uint8_t number, std::uint16_t keepalive, std::int64_t handshake,
                         std::string allowed) {
        PeerSample sample;
        sample.key.bytes[0] = number;
        sample.keepalive = keepalive;
        sample.endpoint = "192.0.2.1:51820";
        sample.handshake = handshake;
        sample.allowed_ips = std::move(allowed);
        return sample;
    };
    const DeviceSample device{"",
                              "wg0",
                              {},
                              {seen(1, 25, epoch - 10, "10.8.0.0/24,10.9.0.1/32,fd00::1/128"),
                               seen(2, 0, epoch - 10, "10.8.1.2/32"),   // roaming
                               seen(3, 25, epoch - 900, "10.8.1.3/32"), // stale
                               seen(4, 25, epoch - 10, "10.8.2.0/24"),  // no single address
                               seen(5, 25, epoch - 10, "10.8.3.0/24"),
                               seen(6, 25, epoch - 10, "10.8.4.6/32")}};
    const Instant now{seconds(epoch), seconds(100), seconds(100), "one"};
    Policy policy;
    CHECK(to_probe({}, {device}, now, policy).empty());
    policy.otherwise.probe = true;
    Policy::Entry known{"", policy.otherwise, {}, {}};
    known.addresses = {*IpAddress::parse("10.7.0.5"), *IpAddress::parse("10.8.3.5")};
    policy.entries[device.peers[4].key] = known;
    policy.entries[device.peers[5].key] = {}; // left out
    const auto targets = to_probe({}, {device}, now, policy);
    REQUIRE(targets.size() == 2);
    CHECK(targets[0].peer == 0);
    CHECK(to_string(targets[0].address) == "10.9.0.1");
    CHECK(targets[1].peer == 4);
    CHECK(to_string(targets[1].address) == "10.8.3.5");
}

TEST_CASE("data that a glance after a look finds on its way is unanswered 15 seconds after it") {
    Watched peer(25, true);
    peer.look_at(0, -30, 1000, 1000);
    peer.look_at(15, -30, 2000, 2000);
    peer.glance(16, 2000, 2600);
    CHECK(peer.look_at(30, -30, 2000, 9000) == Verdict::up);
    CHECK(peer.look_at(31, -30, 2000, 9500) == Verdict::up); // came too soon
    peer = Watched(25, true);
    peer.look_at(0, -30, 1000, 1000);
    peer.look_at(15, -30, 2000, 2000);
    peer.glance(16, 2000, 2600);
    CHECK(peer.look_at(31, -30, 2000, 9000) == Verdict::unreachable);
    CHECK(peer.state.cause == Cause::data);
}

TEST_CASE("a glance asks nothing of a peer that answers, has no data or no session") {
    const auto looked_at = [](std::uint64_t rx, std::uint64_t tx, std::int64_t handshake) {
        Watched peer(25, true);
        peer.look_at(15, handshake, 2000, 2000);
        peer.glance(16, rx, tx);
        return peer.state.silence.asked;
    };
    CHECK(looked_at(2000, 2096, -30) == seconds(epoch + 16));
    CHECK(looked_at(2096, 2096, -30) == milliseconds{});
    CHECK(looked_at(2000, 2064, -30) == milliseconds{});  // keepalives
    CHECK(looked_at(2000, 2148, -400) == milliseconds{}); // an initiation
    CHECK(looked_at(2000, 100, -30) == milliseconds{});   // counters that began anew
}

TEST_CASE("a run waits for answers that are overdue in a moment, and for no others") {
    const PublicKey key{};
    DeviceSample device{"", "wg0", key, {}};
    PeerSample& sample = device.peers.emplace_back();
    sample.endpoint = "192.0.2.1:51820";
    sample.keepalive = 25;
    sample.handshake = epoch - 30;
    const auto at = [](double second) {
        return Instant{
            milliseconds(epoch * 1000 + static_cast<std::int64_t>(second * 1000)), {}, {}, {}};
    };
    State state;
    sample.rx = sample.tx = 1000;
    observe(state, {device}, at(0), {});
    CHECK(until_due(state, {device}, at(14), milliseconds(2000)) == milliseconds{});
    sample.tx = 2000;
    glance(state, {device}, at(0.25));
    CHECK(until_due(state, {device}, at(10), milliseconds(2000)) == milliseconds{}); // far away
    CHECK(until_due(state, {device}, at(15), milliseconds(2000)) == milliseconds(250));
    CHECK(until_due(state, {device}, at(16), milliseconds(2000)) == milliseconds{}); // it is
    sample.rx = 1032;
    CHECK(until_due(state, {device}, at(15), milliseconds(2000)) == milliseconds{});
}
