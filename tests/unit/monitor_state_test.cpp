#include <fmt/format.h>

#include "support/catch.hpp"
#include "wgkit/monitor.hpp"
#include "wgkit/monitor_formats.hpp"

using namespace wgkit;
using namespace wgkit::monitor;

namespace {

PublicKey key_of(std::uint8_t number) {
    PublicKey key;
    key.bytes[0] = number;
    return key;
}

DeviceSample device(std::uint64_t bytes, std::vector<std::uint8_t> peers = {1, 2}) {
    DeviceSample sample{"", "wg0", key_of(9), {}};
    for (const auto number : peers)
        sample.peers.push_back(
            {key_of(number), "192.0.2.1:51820", "10.0.0.2/32", 25, 1'700'000'000, bytes, bytes});
    return sample;
}

Instant at(std::int64_t wall, std::int64_t boot, std::int64_t awake = -1) {
    return {seconds(1'700'000'000 + wall), seconds(boot), seconds(awake < 0 ? boot : awake), "one"};
}

State observed() {
    State state;
    observe(state, {device(1000)}, at(10, 500), {});
    observe(state, {device(1032)}, at(40, 530), {});
    return state;
}

} // namespace

TEST_CASE("the state file gives the same state again") {
    const State state = observed();
    const auto again = parse_state(to_text(state));
    REQUIRE(again);
    CHECK(again->devices == state.devices);
    CHECK(again->t == state.t);
    CHECK(again->clock.boot_id == "one");
    CHECK(to_text(*again) == to_text(state));
}

TEST_CASE("hostile names cannot break the state file") {
    State state = observed();
    state.devices[0].peers[0].name = "a\tb\nsum\tc";
    const auto again = parse_state(to_text(state));
    REQUIRE(again);
    CHECK(again->devices[0].peers[0].name == "a b sum c");
}

TEST_CASE("a damaged state file is an error, whatever byte is wrong") {
    const std::string text = to_text(observed());
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string damaged = text;
        damaged[i] = static_cast<char>(damaged[i] ^ 1);
        CHECK_FALSE(parse_state(damaged));
        CHECK_FALSE(parse_state(text.substr(0, i)));
    }
    CHECK_FALSE(parse_state(""));
    CHECK_FALSE(parse_state("sum\t"));
    CHECK(parse_state("wgkit-monitor-state 1\n").error().message
          == "a state file of another version of wgkit-monitor");
}

TEST_CASE("time is what passed since boot, whatever the wall clock does") {
    State state = observed();
    const milliseconds before = state.t;
    const Run run = observe(state, {device(1064)}, at(40 - 7200 + 30, 560), {});
    CHECK(state.t - before == seconds(30));
    CHECK(run.stepped == seconds(-7200));
    CHECK(state.devices[0].peers[0].verdict == Verdict::clock); // its stamp is two hours ahead
    CHECK(wall_of(state, before) == seconds(1'700'000'000 + 40 - 7200));
}

TEST_CASE("silence while this machine slept proves nothing") {
    State state = observed();
    const Run run = observe(state, {device(1032)}, at(3640, 4130, 540), {});
    CHECK(run.resumed);
    CHECK(state.devices[0].peers[0].looks.size() == 1);
}

TEST_CASE("after a reboot the wall clock tells how long it took") {
    State state = observed();
    Instant now = at(100, 20);
    now.boot_id = "two";
    observe(state, {device(0)}, now, {});
    CHECK(state.t == seconds(1'700'000'100));
    CHECK(state.devices[0].peers[0].verdict == Verdict::reset);
}

TEST_CASE("peers that vanish are kept for a day and not shown") {
    State state = observed();
    observe(state, {device(1064, {2})}, at(70, 560), {});
    REQUIRE(state.devices[0].peers.size() == 2);
    CHECK(rows_of(state).size() == 1);
    observe(state, {device(1064, {2, 1})}, at(100, 590), {}); // and come back elsewhere
    CHECK(state.devices[0].peers[1].looks.size() == 3);
    observe(state, {device(1064, {2})}, at(130, 620), {});
    observe(state, {device(1064, {2})}, at(130 + 90000, 620 + 90000), {});
    CHECK(state.devices[0].peers.size() == 1);
}

TEST_CASE("a dump is read with and without names of devices, and its secrets are not kept") {
    const std::string key = to_string(key_of(1)), secret = to_string(key_of(7));
    const std::string device_line = secret + "\t" + key + "\t51820\toff\n";
    const std::string peer_line =
        key + "\t" + secret + "\t(none)\t10.0.0.2/32,fd00::2/128\t1700000000\t5\t6\toff\n";
    for (const bool named : {true, false}) {
        const std::string name = named ? "wg7\t" : "";
        const auto devices =
            parse_dump(name + device_line + name + peer_line, named ? "wg" : "wg7");
        REQUIRE(devices);
        REQUIRE(devices->size() == 1);
        CHECK((*devices)[0].interface == "wg7");
        REQUIRE((*devices)[0].peers.size() == 1);
        const PeerSample& peer = (*devices)[0].peers[0];
        CHECK(peer.endpoint.empty());
        CHECK(peer.allowed_ips == "10.0.0.2/32,fd00::2/128");
        CHECK(peer.handshake == 1'700'000'000);
        CHECK(peer.rx == 5);
        CHECK(peer.tx == 6);
        CHECK(peer.keepalive == 0);
    }
}

TEST_CASE("a malformed dump is an error that names the line and quotes nothing") {
    const std::string key = to_string(key_of(1));
    const std::string device_line = "wg0\t(none)\t" + key + "\t1\toff\n";
    const auto message = [&](const std::string& text) {
        const auto devices = parse_dump(text);
        return devices ? std::string() : devices.error().message;
    };
    CHECK(message("x\n") == "line 1 of the dump: 1 fields; a device has 5, a peer 9");
    CHECK(message("wg0\t" + key + "\t(none)\t(none)\t(none)\t0\t0\t0\toff\n")
          == "line 1 of the dump: a peer before its device");
    CHECK(message(device_line + "wg0\tkey\t(none)\t(none)\t(none)\t0\t0\t0\toff\n")
          == "line 2 of the dump: the public key is none");
    CHECK(message(device_line + "wg0\t" + key + "\t(none)\t(none)\t(none)\t-1\t0\t0\toff\n")
          == "line 2 of the dump: the latest handshake is no number");
    CHECK(message(device_line + "wg0\t" + key + "\t(none)\t(none)\t(none)\t0\t0\t0\t70000\n")
          == "line 2 of the dump: the persistent keepalive is no number of seconds");
    CHECK(message("").empty());
}

TEST_CASE("a peer that comes and goes is flapping") {
    PeerState peer;
    for (int i = 0; i < 5; ++i) peer.turns.push_back(std::chrono::minutes(i));
    CHECK_FALSE(is_flapping(peer, std::chrono::minutes(5)));
    peer.turns.push_back(std::chrono::minutes(5));
    CHECK(is_flapping(peer, std::chrono::minutes(6)));
    CHECK_FALSE(is_flapping(peer, std::chrono::minutes(40)));
}
