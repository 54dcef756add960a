#include <fmt/format.h>

#include <map>

#include "support/catch.hpp"
#include "support/monitor_trace.hpp"
#include "wgkit/monitor_fleet.hpp"
#include "wgkit/monitor_formats.hpp"

using namespace wgkit;
using namespace wgkit::monitor;
using wgkit::test::Trace;

namespace {

/// The peer after looks every 30 s.
PeerState after(const Trace& trace, double end) {
    PeerState state;
    for (double second = 5; second <= end; second += 30) {
        const auto sample = trace.at(second);
        if (!sample) continue;
        const milliseconds now(static_cast<std::int64_t>((trace.start + second) * 1000));
        state = update(std::move(state), *sample, now, now, {});
    }
    return state;
}

PublicKey key_of(std::size_t number) {
    PublicKey key;
    key.bytes[0] = static_cast<std::uint8_t>(number);
    key.bytes[1] = static_cast<std::uint8_t>(number >> 8U);
    return key;
}

constexpr milliseconds now{1'800'000'000'000};

PeerState peer_of(std::size_t number, bool well) {
    PeerState peer;
    peer.key = key_of(number);
    peer.seen = now;
    peer.since = now - seconds(60);
    peer.verdict = well ? Verdict::up : Verdict::unreachable;
    peer.level = well ? Level::ok : Level::critical;
    peer.looks = {{now - seconds(30), 1, 10, 10}, {now, 1, well ? 20U : 10U, 20}};
    return peer;
}

/// A host with one device and the peers that it sees well or not.
FleetHost host(std::size_t number, const std::map<std::size_t, bool>& peers) {
    FleetHost one;
    one.name = number == 0 ? "gw" : fmt::format("node-{}", number);
    one.keys = {key_of(number)};
    State state;
    state.t = state.clock.wall = now;
    DeviceState device{"", "wg0", key_of(number), now, {}};
    for (const auto& [other, well] : peers) device.peers.push_back(peer_of(other, well));
    state.devices.push_back(std::move(device));
    one.state = std::move(state);
    return one;
}

std::vector<FleetCause> bad_of(const std::vector<FleetHost>& hosts) {
    auto causes = judge_fleet(hosts);
    std::erase_if(causes, [](const FleetCause& cause) { return cause.level == Level::ok; });
    return causes;
}

} // namespace

TEST_CASE("both ends of recorded tunnels name the way that was cut") {
    using enum PairVerdict;
    // What each scene did to the path, from the left side to the right.
    const std::map<std::string, std::vector<PairVerdict>> truth{
        {"traffic", {connected}},
        {"keepalive_one", {connected}},
        {"keepalive_both", {connected}},
        {"oneway_udp", {connected}},
        {"oneway_udp_back", {connected}},
        {"cut_mended", {connected}},
        {"loss_half", {connected}},
        {"restart_left", {connected}},
        {"restart_right", {connected}},
        {"idle", {quiet}},
        {"cut_idle", {quiet}},
        {"loss_to_left", {back}},
        {"loss_to_right", {forth}},
        {"cut_traffic", {forth, cut}},
        {"cut_keepalive", {forth, cut}},
        {"psk_changed", {psk}},
        {"wrong_psk", {psk}},
    };
    std::map<std::string, std::map<std::string, Trace>> pairs;
    for (auto& trace : test::read_traces()) {
        const std::string side = trace.side;
        pairs[trace.scene + " " + trace.engine].emplace(side, std::move(trace));
    }
    std::size_t judged = 0;
    for (const auto& [name, sides] : pairs) {
        const auto& left = sides.at("left");
        const auto expected = truth.find(left.scene);
        if (expected == truth.end()) continue;
        PeerState a = after(left, 595), b = after(sides.at("right"), 595);
        if (left.scene.find("psk") != std::string::npos) {
            a.psk = "one";
            b.psk = "two";
        }
        const DeviceState device;
        const PairJudgement pair = judge_pair({"left", &device, &a}, {"right", &device, &b});
        CAPTURE(name, to_string(pair.verdict));
        CHECK(std::count(expected->second.begin(), expected->second.end(), pair.verdict) == 1);
        ++judged;
    }
    CHECK(judged == 2 * truth.size());
}

TEST_CASE("keys are compared before counters") {
    const FleetHost a = host(1, {{2, true}}), b = host(2, {{3, true}}), c = host(3, {});
    const auto one_sided = compare("a", *a.state, "b", *b.state);
    REQUIRE(one_sided.size() == 1);
    CHECK(one_sided.front().verdict == PairVerdict::keys);
    CHECK(one_sided.front().text == "b has no peer with the public key of a, which has one for b");
    CHECK(compare("a", *a.state, "c", *c.state).front().verdict == PairVerdict::keys);
    FleetHost d = host(2, {{1, true}});
    d.state->devices.front().peers.front().psk = "0123456789abcdef";
    CHECK(compare("a", *a.state, "d", *d.state).front().text
          == "only d has a preshared key for the tunnel with a");
}

TEST_CASE("a dead hub is one cause, not one for each of its peers") {
    std::vector<FleetHost> hosts;
    FleetHost hub;
    hub.name = "gw";
    hub.keys = {key_of(0)};
    hub.problem = "connection timed out";
    hosts.push_back(std::move(hub));
    for (std::size_t i = 1; i < 60; ++i) hosts.push_back(host(i, {{0, false}}));
    const auto causes = bad_of(hosts);
    REQUIRE(causes.size() == 1);
    CHECK(causes.front().text == "gw is down: 59 peers");
    CHECK(causes.front().key == "node:gw");
    CHECK(causes.front().details.size() == 59);
    CHECK(causes.front().since == now - seconds(60));
}

TEST_CASE("a dead spoke is named, not its hub") {
    std::vector<FleetHost> hosts{host(0, {{1, true}, {2, false}, {3, true}}), host(1, {{0, true}}),
                                 host(3, {{0, true}})};
    FleetHost dead;
    dead.name = "node-2";
    dead.keys = {key_of(2)};
    dead.problem = "no route to host";
    hosts.push_back(dead);
    const auto causes = bad_of(hosts);
    REQUIRE(causes.size() == 1);
    CHECK(causes.front().text == "node-2 is down: 1 peer");
    // One that answers has a tunnel in trouble: both ends are told.
    hosts.back() = host(2, {{0, false}});
    const auto pair = bad_of(hosts);
    REQUIRE(pair.size() == 1);
    CHECK(pair.front().type == "pair");
    CHECK(pair.front().key == "pair:gw:node-2");
}

TEST_CASE("a host that cannot be asked and whose peers are well is not down") {
    std::vector<FleetHost> hosts{host(0, {{1, true}})};
    FleetHost other;
    other.name = "node-1";
    other.keys = {key_of(1)};
    other.problem = "permission denied";
    hosts.push_back(other);
    const auto causes = bad_of(hosts);
    REQUIRE(causes.size() == 1);
    CHECK(causes.front().level == Level::unknown);
    CHECK(causes.front().text == "node-1 cannot be asked: permission denied");
    hosts.back().asked = false; // a phone
    CHECK(bad_of(hosts).empty());
}

TEST_CASE("two dead hosts are two causes") {
    std::vector<FleetHost> hosts;
    for (std::size_t i = 0; i < 8; ++i) {
        std::map<std::size_t, bool> peers;
        for (std::size_t j = 0; j < 8; ++j)
            if (j != i) peers[j] = j != 3 && j != 5;
        hosts.push_back(host(i, peers));
    }
    for (const std::size_t dead : {3U, 5U}) hosts[dead].state.reset();
    const auto causes = bad_of(hosts);
    REQUIRE(causes.size() == 2);
    CHECK(causes[0].type == "node_down");
    CHECK(causes[1].type == "node_down");
}

TEST_CASE("what --format json prints can be read again") {
    const FleetHost one = host(1, {{2, false}, {3, true}});
    const auto again = state_from_json(to_json(rows_of(*one.state), *one.state));
    REQUIRE(again);
    REQUIRE(again->devices.size() == 1);
    CHECK(again->devices.front().public_key == key_of(1));
    REQUIRE(again->devices.front().peers.size() == 2);
    CHECK(again->devices.front().peers.front().verdict == Verdict::unreachable);
    CHECK(again->devices.front().peers.front().looks == one.state->devices[0].peers[0].looks);
    for (const char* text : {"", "[]", "{}", R"({"time":1,"devices":[],"peers":[{}]})",
                             R"({"time":-1,"devices":[],"peers":[]})"})
        CHECK_FALSE(state_from_json(text));
}
