#include <functional>
#include <random>

#include "support/catch.hpp"
#include "support/memory_device.hpp"

using namespace wgkit;
using test::MemoryDevice;

namespace {

constexpr std::int64_t now = 1'000'000;

std::array<std::uint8_t, key_bytes> bytes_of(std::uint8_t number) {
    std::array<std::uint8_t, key_bytes> bytes{};
    bytes.front() = number;
    return bytes;
}
PublicKey key(std::uint8_t number) { return {bytes_of(number)}; }
PresharedKey psk(std::uint8_t number) { return PresharedKey(bytes_of(number)); }
PrivateKey private_key(std::uint8_t number) { return PrivateKey(bytes_of(number)); }
Prefix prefix(const std::string& text) { return *Prefix::parse(text); }
DeviceEndpoint endpoint(std::uint16_t port) { return {*IpAddress::parse("192.0.2.1"), port, 0}; }

Device device_with(std::vector<std::pair<int, std::vector<std::string>>> peers) {
    Device device;
    device.name = "wg0";
    device.private_key = private_key(200);
    device.public_key = public_key(*device.private_key);
    device.listen_port = 51820;
    for (const auto& [number, prefixes] : peers) {
        auto& peer = device.peers.emplace_back();
        peer.public_key = key(static_cast<std::uint8_t>(number));
        for (const auto& text : prefixes) peer.allowed_ips.push_back(prefix(text));
    }
    return device;
}

WantedPeer& want(WantedDevice& wanted, int number, std::vector<std::string> prefixes) {
    auto& peer = wanted.peers.emplace_back();
    peer.public_key = key(static_cast<std::uint8_t>(number));
    for (const auto& text : prefixes) peer.allowed_ips.push_back(prefix(text));
    return peer;
}

/// A device as plain values that can be compared and shown.
std::string told(const Device& device) {
    std::map<std::string, std::string> peers;
    for (const auto& peer : device.peers) {
        auto prefixes = peer.allowed_ips;
        std::sort(prefixes.begin(), prefixes.end());
        std::string text = std::to_string(peer.persistent_keepalive);
        if (peer.preshared_key)
            text += " psk " + std::to_string(peer.preshared_key->reveal().front());
        if (peer.endpoint) text += " " + to_string(*peer.endpoint);
        for (const auto& one : prefixes) text += " " + to_string(one);
        peers[to_string(peer.public_key)] = text;
    }
    std::string text = device.public_key ? to_string(*device.public_key) : "no key";
    text += " " + std::to_string(device.listen_port) + " " + std::to_string(device.fwmark) + "\n";
    for (const auto& [public_key, peer] : peers)
        text.append(public_key).append(" ").append(peer).append("\n");
    return text;
}

/// Which prefixes somebody has.
std::set<Prefix> owned(const Device& device) {
    std::set<Prefix> all;
    for (const auto& peer : device.peers)
        all.insert(peer.allowed_ips.begin(), peer.allowed_ips.end());
    return all;
}

/// The merge that wgkit/device.hpp documents field by field, written down the slow and plain way.
Device merge(const WantedDevice& wanted, const Device& present, const DiffOptions& options) {
    Device merged = test::copy_of(present);
    if (wanted.private_key) {
        merged.private_key.reset();
        merged.public_key.reset();
        if (!is_zero(*wanted.private_key)) {
            merged.private_key = wanted.private_key->clone();
            merged.public_key = public_key(*wanted.private_key);
        }
    }
    if (wanted.listen_port && *wanted.listen_port != 0) merged.listen_port = *wanted.listen_port;
    if (wanted.fwmark) merged.fwmark = *wanted.fwmark;
    const auto find = [&merged](const PublicKey& key) {
        return std::find_if(merged.peers.begin(), merged.peers.end(),
                            [&key](const DevicePeer& peer) { return peer.public_key == key; });
    };
    std::set<PublicKey> listed;
    for (const auto& peer : wanted.peers) {
        if (peer.public_key == merged.public_key) continue;
        listed.insert(peer.public_key);
        if (find(peer.public_key) == merged.peers.end())
            merged.peers.emplace_back().public_key = peer.public_key;
        DevicePeer& one = *find(peer.public_key);
        if (peer.preshared_key) {
            one.preshared_key.reset();
            if (!is_zero(*peer.preshared_key)) one.preshared_key = peer.preshared_key->clone();
        }
        const auto before = std::find_if(
            present.peers.begin(), present.peers.end(),
            [&peer](const DevicePeer& other) { return other.public_key == peer.public_key; });
        const bool may = before == present.peers.end() || !before->endpoint
                         || options.set_all_endpoints || is_stale(*before, options.now);
        if (peer.address && may) one.endpoint = peer.address;
        if (peer.persistent_keepalive) one.persistent_keepalive = *peer.persistent_keepalive;
        if (peer.replace_allowed_ips) one.allowed_ips.clear();
        for (const auto& prefix : peer.allowed_ips) {
            for (auto& other : merged.peers) std::erase(other.allowed_ips, prefix.masked());
            one.allowed_ips.push_back(prefix.masked());
        }
        if (!peer.replace_allowed_ips)
            for (const auto& prefix : peer.removed_ips)
                std::erase(one.allowed_ips, prefix.masked());
    }
    std::erase_if(merged.peers, [&](const DevicePeer& peer) {
        return peer.public_key == merged.public_key
               || (!options.keep_other_peers && !listed.contains(peer.public_key));
    });
    // Others keep what nobody wants in the end, even if a section did that a later one overruled.
    for (auto& peer : merged.peers) {
        if (listed.contains(peer.public_key)) continue;
        for (const auto& before : present.peers)
            if (before.public_key == peer.public_key)
                for (const auto& prefix : before.allowed_ips)
                    if (!owned(merged).contains(prefix)) peer.allowed_ips.push_back(prefix);
    }
    return merged;
}

/// Devices and wishes out of few values, so that they meet.
class Maker {
  public:
    explicit Maker(unsigned seed) : random_(seed) {}

    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
    bool coin() { return below(2) == 0; }

    Device device() {
        Device device;
        device.name = "wg0";
        if (below(4) != 0) {
            device.private_key = private_key(static_cast<std::uint8_t>(8 * below(3)) + 64);
            device.public_key = public_key(*device.private_key);
        }
        device.listen_port = static_cast<std::uint16_t>(1 + below(2));
        device.fwmark = below(2);
        std::set<Prefix> taken;
        for (unsigned number = 1; number < 7; ++number) {
            if (coin()) continue;
            auto& peer = device.peers.emplace_back();
            peer.public_key = peer_key(number);
            if (coin()) peer.preshared_key = psk(static_cast<std::uint8_t>(1 + below(2)));
            if (coin()) peer.endpoint = endpoint(static_cast<std::uint16_t>(1 + below(2)));
            peer.persistent_keepalive = static_cast<std::uint16_t>(below(2));
            peer.last_handshake_seconds = coin() ? now : 0;
            for (const auto& prefix : prefixes())
                if (taken.insert(prefix.masked()).second)
                    peer.allowed_ips.push_back(prefix.masked());
        }
        std::erase_if(device.peers,
                      [&](const DevicePeer& p) { return p.public_key == device.public_key; });
        return device;
    }

    WantedDevice wanted() {
        WantedDevice wanted;
        if (coin())
            wanted.private_key =
                private_key(static_cast<std::uint8_t>(below(4) == 0 ? 0 : 64 + 8 * below(3)));
        if (coin()) wanted.listen_port = static_cast<std::uint16_t>(below(3));
        if (coin()) wanted.fwmark = below(3);
        for (unsigned count = below(8); count > 0; --count) {
            auto& peer = wanted.peers.emplace_back();
            peer.public_key = peer_key(1 + below(6));
            if (coin()) peer.preshared_key = psk(static_cast<std::uint8_t>(below(3)));
            if (coin()) peer.address = endpoint(static_cast<std::uint16_t>(1 + below(2)));
            if (coin()) peer.persistent_keepalive = static_cast<std::uint16_t>(below(3));
            peer.allowed_ips = prefixes();
            peer.replace_allowed_ips = below(3) != 0;
            if (!peer.replace_allowed_ips) peer.removed_ips = prefixes();
        }
        return wanted;
    }

  private:
    /// One of them is the device's own, sometimes.
    static PublicKey peer_key(unsigned number) {
        static const PublicKey own = public_key(private_key(64));
        return number == 6 ? own : key(static_cast<std::uint8_t>(number));
    }
    std::vector<Prefix> prefixes() {
        static const std::vector<std::string> all{"10.0.0.1/32", "10.0.0.2/32", "10.0.0.0/24",
                                                  "10.0.0.9/24", "fd00::/64",   "0.0.0.0/0"};
        std::vector<Prefix> chosen;
        for (unsigned count = below(4); count > 0; --count)
            chosen.push_back(prefix(all.at(below(static_cast<unsigned>(all.size())))));
        return chosen;
    }

    std::mt19937 random_;
};

} // namespace

TEST_CASE("applying a diff gives the documented merge, whatever there is and is wanted") {
    for (unsigned seed = 0; seed < 4000; ++seed) {
        Maker make(seed);
        const Device present = make.device();
        const WantedDevice wanted = make.wanted();
        const DiffOptions options{make.coin(), make.coin(), now};
        const Device expected = merge(wanted, present, options);

        MemoryDevice device(test::copy_of(present));
        device.knows_removal = make.coin();
        device.per_message = 1 + make.below(4);
        // A peer whose key becomes the device's own goes with the key, before anything can move.
        const bool loses_peer =
            std::any_of(present.peers.begin(), present.peers.end(), [&](const DevicePeer& peer) {
                return peer.public_key == expected.public_key;
            });
        const auto before = loses_peer ? std::set<Prefix>() : owned(present);
        const auto after = owned(expected);
        device.watch = [&](const Device& state) {
            const auto at_once = owned(state);
            for (const auto& one : before)
                if (after.contains(one) && !at_once.contains(one))
                    FAIL("seed " << seed << ": " << to_string(one) << " is nobody's for a moment");
        };
        auto change = diff(wanted, present, options);
        const auto ips = allowed_ips_after(present, change);
        // What goes may also go later.
        DeviceChange removals;
        if (make.coin()) removals = take_removals(change);
        INFO("seed " << seed);
        for (const auto* part : {&change, &removals}) {
            const auto refused = device.set(*part);
            REQUIRE(refused);
            REQUIRE(refused->empty());
        }
        REQUIRE(std::set<Prefix>(ips.begin(), ips.end()) == owned(device.device));
        REQUIRE(told(device.device) == told(expected));
        REQUIRE(diff(wanted, device.device, options).empty());
    }
}

TEST_CASE("a killed apply is completed by the next one") {
    for (unsigned seed = 0; seed < 200; ++seed) {
        Maker make(seed);
        const Device present = make.device();
        const WantedDevice wanted = make.wanted();
        const DiffOptions options{false, true, now};
        const std::string expected = told(merge(wanted, present, options));
        for (std::size_t messages = 0; messages < 12; ++messages) {
            MemoryDevice device(test::copy_of(present));
            device.per_message = 1;
            device.messages_before_death = messages;
            const bool done = device.set(diff(wanted, present, options)).has_value();
            device.messages_before_death = SIZE_MAX;
            REQUIRE(device.set(diff(wanted, device.device, options)));
            INFO("seed " << seed << ", killed after " << messages);
            REQUIRE(told(device.device) == expected);
            if (done) break;
        }
    }
}

TEST_CASE("a device that is as wanted gets no message") {
    const Device present = device_with({{1, {"10.0.0.1/32"}}, {2, {"10.0.0.2/32", "fd00::/64"}}});
    WantedDevice wanted;
    want(wanted, 1, {"10.0.0.1/32"});
    want(wanted, 2, {"fd00::/64", "10.0.0.2/32"});
    MemoryDevice device(test::copy_of(present));
    REQUIRE(device.set(diff(wanted, present)));
    CHECK(device.messages == 0);
}

TEST_CASE("a connected peer keeps its endpoint, a silent one gets the file's") {
    Device present = device_with({{1, {}}, {2, {}}});
    for (auto& peer : present.peers) peer.endpoint = endpoint(1);
    present.peers[0].last_handshake_seconds = now - 135;
    present.peers[1].last_handshake_seconds = now - 136;
    WantedDevice wanted;
    want(wanted, 1, {}).address = endpoint(2);
    want(wanted, 2, {}).address = endpoint(2);
    const auto change = diff(wanted, present, {false, false, now});
    REQUIRE(change.peers.size() == 1);
    CHECK(change.peers[0].public_key == key(2));
    CHECK(change.peers[0].endpoint == endpoint(2));
    CHECK(diff(wanted, present, {false, true, now}).peers.size() == 2);
}

TEST_CASE("peers_to_look_up: connected peers' names are not asked for") {
    Device present = device_with({{1, {}}, {2, {}}});
    for (auto& peer : present.peers) peer.endpoint = endpoint(1);
    present.peers[0].last_handshake_seconds = now;
    WantedDevice wanted;
    for (const int number : {1, 2, 3}) want(wanted, number, {}).endpoint = Endpoint{"host", 1};
    want(wanted, 4, {});
    const auto peers = peers_to_look_up(wanted, present, {false, false, now});
    REQUIRE(peers.size() == 2);
    CHECK(peers[0]->public_key == key(2));
    CHECK(peers[1]->public_key == key(3));
}

TEST_CASE("a prefix that moves from a peer that goes is never nobody's, and not removed") {
    const Device present = device_with({{1, {"10.0.0.1/32"}}});
    WantedDevice wanted;
    want(wanted, 2, {"10.0.0.1/32"});
    const auto change = diff(wanted, present);
    REQUIRE(change.peers.size() == 1);
    CHECK(change.peers[0].is_new);
    CHECK(change.peers[0].moved == std::vector{MovedPrefix{prefix("10.0.0.1/32"), key(1)}});
    CHECK(change.removed_peers == std::vector{key(1)});
}

TEST_CASE("steps add before they move before they remove, in parts that fit") {
    WantedDevice wanted;
    auto& many = want(wanted, 1, {});
    for (unsigned i = 0; i < 2 * most_allowed_ips + 1; ++i) {
        const std::array<std::uint8_t, 4> address{10, 0, static_cast<std::uint8_t>(i >> 8),
                                                  static_cast<std::uint8_t>(i)};
        many.allowed_ips.push_back(Prefix::host(IpAddress::from_bytes(Family::ipv4, address)));
    }
    want(wanted, 2, {"192.0.2.0/24"});
    const Device present = device_with({{2, {"192.0.2.9/32"}}, {3, {"192.0.2.0/24"}}});
    const auto change = diff(wanted, present);
    const auto steps = steps_of(change);
    REQUIRE(steps.size() == 6);
    CHECK(steps[0].is_new);
    CHECK(steps[0].allowed_ips.size() == most_allowed_ips);
    CHECK_FALSE(steps[2].is_new);
    CHECK(steps[2].allowed_ips.size() == 1);
    CHECK(steps[3].allowed_ips == std::vector{prefix("192.0.2.0/24")});
    CHECK(steps[4].removed_ips == std::vector{prefix("192.0.2.9/32")});
    CHECK(steps[5].remove);
}

TEST_CASE("a peer that is refused is named, and the others change") {
    MemoryDevice device(device_with({{1, {"10.0.0.1/32"}}}));
    device.refused = {key(2)};
    WantedDevice wanted;
    for (const int number : {1, 2, 3, 4})
        want(wanted, number, {"10.0.1." + std::to_string(number) + "/32"});
    const auto refused = device.set(diff(wanted, device.device));
    REQUIRE(refused);
    REQUIRE(refused->size() == 1);
    CHECK(refused->front().public_key == key(2));
    CHECK(owned(device.device)
          == std::set{prefix("10.0.1.1/32"), prefix("10.0.1.3/32"), prefix("10.0.1.4/32")});
}

TEST_CASE("guard refuses what is rather an accident") {
    const Device present = device_with({{1, {}},
                                        {2, {}},
                                        {3, {}},
                                        {4, {}},
                                        {5, {}},
                                        {6, {}},
                                        {7, {}},
                                        {8, {}},
                                        {9, {}},
                                        {10, {}}});
    const auto guarded = [&present](const WantedDevice& wanted,
                                    std::optional<std::size_t> allowed = {}) {
        return guard(wanted, present, diff(wanted, present), allowed);
    };
    CHECK(guarded({}).error().message == "it says nothing about the device");
    WantedDevice wanted;
    for (int number = 1; number <= 8; ++number) want(wanted, number, {});
    CHECK(guarded(wanted)); // two of ten
    CHECK_FALSE(guarded(wanted, 1));
    wanted.peers.pop_back();
    const auto refused = guarded(wanted);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::conflict);
    CHECK(refused.error().hint == "--allow-removals 3 if they are to go");
    CHECK(guarded(wanted, 3));
    CHECK(removal_limit(present) == 2);

    Device fresh = device_with({});
    fresh.private_key.reset();
    fresh.public_key.reset();
    CHECK_FALSE(guard(wanted, fresh, diff(wanted, fresh)));
    wanted.private_key = private_key(0);
    CHECK_FALSE(guarded(wanted, 3)); // peers, but no key
}

TEST_CASE("the state's hash follows the configuration, not what peers do") {
    Device device = device_with({{1, {"10.0.0.1/32", "10.0.0.2/32"}}, {2, {}}});
    const std::string hash = state_hash(device);
    device.peers[0].endpoint = endpoint(1);
    device.peers[0].rx_bytes = 5;
    std::swap(device.peers[0], device.peers[1]);
    std::swap(device.peers[1].allowed_ips[0], device.peers[1].allowed_ips[1]);
    CHECK(state_hash(device) == hash);
    device.peers[1].preshared_key = psk(1);
    CHECK(state_hash(device) != hash);
}
