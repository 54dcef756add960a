#include "rotate/boot_file.hpp"
#include "rotate/exchange.hpp"
#include "rotate/routes.hpp"
#include "rotate/second_device.hpp"
#include "rotate/state.hpp"
#include "support/catch.hpp"
#include "support/memory_device.hpp"

namespace wgkit::rotate {

namespace {

Prefix range(const char* text) { return *Prefix::parse(text); }

/// A device with the peers that have these keys, each with one allowed IP and an endpoint.
Device device_with(const std::vector<PublicKey>& peers) {
    Device device;
    device.name = "wg0";
    device.private_key = generate_private_key();
    device.public_key = public_key(*device.private_key);
    device.listen_port = 51820;
    for (std::size_t i = 0; i < peers.size(); ++i) {
        device.peers.emplace_back();
        auto& peer = device.peers.back();
        peer.public_key = peers[i];
        peer.endpoint = DeviceEndpoint{*IpAddress::parse("192.0.2.9"), 51820};
        peer.allowed_ips = {range(i == 0 ? "10.0.0.2/32" : "10.0.0.3/32")};
        peer.persistent_keepalive = 25;
    }
    return device;
}

PublicKey fresh_key() { return public_key(generate_private_key()); }

State begun(const Device& device, const Options& options = {}) {
    return *begin(device, {"/etc/wireguard/wg0.conf", "wg0"}, options);
}

Offer offer_from(const PublicKey& current) {
    return {"wg0", current, fresh_key(), fresh_key(), 51920, {}, {}};
}

std::vector<SecondRoute> moved(const std::vector<HostRoute>& present,
                               const std::vector<Prefix>& moving,
                               const std::vector<Prefix>& staying = {}) {
    return second_routes(present, moving, staying);
}

std::string text_of_file(const SecretString& text) { return {text.begin(), text.end()}; }

std::string base64_of(const auto& key) { return std::string(reveal_base64(key)); }

} // namespace

TEST_CASE("the second device has a key, a port and a name of its own") {
    const Device device = device_with({});
    const State state = begun(device);
    CHECK(state.second_name == "wg0-2");
    CHECK(state.second.listen_port == 51920);
    const Offer offer = offer_of(state);
    CHECK(offer.current == device.public_key);
    CHECK(offer.next != offer.current);
    CHECK(offer.second != offer.next);
    CHECK(offer_of(begun(device, {.keep_key = true})).next == device.public_key);
    CHECK(begun(device, {.second = "other", .port = 7}).second.listen_port == 7);
    CHECK_FALSE(begin(device, {"/x/averylongname1.conf", "averylongname1"}, {}));
    CHECK_FALSE(begin(Device(), {"/x/wg0.conf", "wg0"}, {}));
}

TEST_CASE("an offer becomes a peer of the second device where the first is reached") {
    const PublicKey peer = fresh_key();
    const Device device = device_with({peer, fresh_key()});
    State state = begun(device);
    CHECK(left_behind(state, device).size() == 2);
    Offer offer = offer_from(peer);
    const PresharedKey shared = generate_preshared_key();
    offer.preshared_key = shared.clone();
    const PublicKey second = offer.second;
    const PublicKey next = offer.next;
    REQUIRE(add_offer(state, device, std::move(offer)));
    REQUIRE(state.second.peers.size() == 1);
    CHECK(state.second.peers[0].public_key == second);
    CHECK(to_string(*state.second.peers[0].endpoint) == "192.0.2.9:51920");
    CHECK(state.second.peers[0].allowed_ips == device.peers[0].allowed_ips);
    CHECK(equal(*state.second.peers[0].preshared_key, shared));
    CHECK(state.after.peers[0].public_key == next);
    CHECK(equal(*state.after.peers[0].preshared_key, shared));
    CHECK(is_zero(*state.before.peers[0].preshared_key));
    CHECK(left_behind(state, device) == std::vector<PublicKey>{device.peers[1].public_key});
}

TEST_CASE("an offer again, without the preshared key, keeps it") {
    const PublicKey peer = fresh_key();
    const Device device = device_with({peer});
    State state = begun(device);
    Offer offer = offer_from(peer);
    Offer again = offer_from(peer);
    again.second_host = "198.51.100.7";
    const PresharedKey shared = generate_preshared_key();
    offer.preshared_key = shared.clone();
    REQUIRE(add_offer(state, device, std::move(offer)));
    REQUIRE(add_offer(state, device, std::move(again)));
    REQUIRE(state.after.peers.size() == 1);
    CHECK(equal(*state.after.peers[0].preshared_key, shared));
    CHECK(to_string(*state.second.peers[0].endpoint) == "198.51.100.7:51920");
}

TEST_CASE("offers that cannot be meant are refused") {
    const PublicKey peer = fresh_key();
    const Device device = device_with({peer});
    State state = begun(device);
    CHECK(add_offer(state, device, offer_of(state)).error().code == Errc::invalid);
    CHECK(add_offer(state, device, offer_from(fresh_key())).error().code == Errc::not_found);
    State keeps = begun(device, {.keep_key = true});
    Offer nothing = offer_from(peer);
    nothing.next = peer;
    CHECK(add_offer(keeps, device, std::move(nothing)).error().code == Errc::invalid);
    state.phase = Phase::switched;
    CHECK(add_offer(state, device, offer_from(peer)).error().code == Errc::conflict);
}

TEST_CASE("the keys that are wanted depend on the goal") {
    const PublicKey peer = fresh_key();
    const Device device = device_with({peer});
    State state = begun(device);
    REQUIRE(add_offer(state, device, offer_from(peer)));
    CHECK_FALSE(has_wanted_keys(state, device));
    Device changed = device_with({state.after.peers[0].public_key});
    changed.public_key = public_key(*state.after.private_key);
    CHECK(has_wanted_keys(state, changed));
    state.going_back = true;
    CHECK(has_wanted_keys(state, device));
    CHECK_FALSE(has_wanted_keys(state, changed));
}

TEST_CASE("the record of a rotation is read as it was written") {
    const PublicKey peer = fresh_key();
    const Device device = device_with({peer});
    State state = begun(device);
    Offer offer = offer_from(peer);
    offer.preshared_key = generate_preshared_key();
    REQUIRE(add_offer(state, device, std::move(offer)));
    state.phase = Phase::rekeying;
    state.going_back = true;
    state.rp_filters = {{"wg0", 1}};
    const SecretString text = to_text(state);
    const auto read = parse_state(text, "state");
    REQUIRE(read);
    CHECK(to_text(*read) == text);
    CHECK(read->phase == Phase::rekeying);
    CHECK(read->before.peers[0].persistent_keepalive == 25);
    CHECK(is_zero(*read->before.peers[0].preshared_key));
    // Cut anywhere, it is refused.
    for (std::size_t length = 0; length + 1 < text.size(); length += 7)
        CHECK_FALSE(parse_state(std::string_view(text).substr(0, length), "state"));
}

TEST_CASE("a route to the second device goes before each of the interface") {
    const HostRoute net{range("10.1.0.0/16")};
    CHECK(moved({net}, {range("10.1.0.0/16")}) == std::vector<SecondRoute>{{net, false}});
    // IPv6 takes the route with the smaller metric.
    const HostRoute six{range("fd01::/48"), 77, 3, 1024};
    CHECK(moved({six}, {range("fd01::/48")})
          == std::vector<SecondRoute>{{{range("fd01::/48"), 77, 3, 1023}, false}});
    // Of the interface's own network only what the peer has.
    const HostRoute own{range("10.0.0.0/24"), main_routing_table, 2};
    CHECK(moved({own}, {range("10.0.0.2/32")})
          == std::vector<SecondRoute>{{{range("10.0.0.2/32")}, true}});
    // A narrower route, say of a hook.
    const HostRoute part{range("10.1.7.0/24")};
    CHECK(moved({part}, {range("10.1.0.0/16")}) == std::vector<SecondRoute>{{part, false}});
}

TEST_CASE("routes of peers that stay do not move") {
    const HostRoute wide{range("10.1.0.0/16")};
    const HostRoute narrow{range("10.1.7.0/24")};
    CHECK(moved({wide, narrow}, {range("10.1.0.0/16")}, {range("10.1.7.0/24")})
          == std::vector<SecondRoute>{{wide, false}});
    CHECK(moved({wide}, {range("10.1.7.0/24")}, {range("10.1.0.0/16")})
          == std::vector<SecondRoute>{{narrow, true}});
    CHECK(moved({wide}, {range("10.2.0.0/16")}).empty());
    // Bound to the interface.
    CHECK(moved({{range("fe80::/64")}, {range("ff00::/8")}}, {range("::/0")}).empty());
}

TEST_CASE("the file gets its new keys, and gives back every byte of the old ones") {
    const PublicKey peer = fresh_key();
    const Device device = device_with({peer});
    const bool has_psk = GENERATE(false, true);
    const PresharedKey old = generate_preshared_key();
    const PresharedKey shared = generate_preshared_key();
    Device present = test::copy_of(device);
    if (has_psk) present.peers[0].preshared_key = old.clone();
    State state = begun(present);
    state.before.private_key = device.private_key->clone();
    Offer offer = offer_from(peer);
    offer.preshared_key = shared.clone();
    REQUIRE(add_offer(state, present, std::move(offer)));
    const std::string psk_line = has_psk ? "  presharedkey=" + base64_of(old) + " # theirs\n" : "";
    const std::string text = "# top\n[Interface]\n PrivateKey=" + base64_of(*device.private_key)
                             + "# mine\nAddress = 10.0.0.1/24\n[Peer] # office\nPublicKey = "
                             + to_string(peer) + "\n" + psk_line + "AllowedIPs = 10.0.0.2/32\n";
    const auto changed = with_wanted_keys(text, state);
    REQUIRE(changed);
    const std::string new_line = has_psk ? "  presharedkey=" + base64_of(shared) + " # theirs\n"
                                         : "PresharedKey = " + base64_of(shared) + "\n";
    CHECK(text_of_file(*changed)
          == "# top\n[Interface]\n PrivateKey=" + base64_of(*state.after.private_key)
                 + "# mine\nAddress = 10.0.0.1/24\n[Peer] # office\nPublicKey = "
                 + to_string(state.after.peers[0].public_key) + "\n" + new_line
                 + "AllowedIPs = 10.0.0.2/32\n");
    CHECK(*with_wanted_keys(*changed, state) == *changed);
    state.going_back = true;
    CHECK(text_of_file(*with_wanted_keys(*changed, state)) == text);
    CHECK(text_of_file(*with_wanted_keys(text, state)) == text);
    CHECK_FALSE(with_wanted_keys("[Interface]\nnonsense\n", state));
}

TEST_CASE("the first message of a handshake does not prove a session") {
    const Heard before{100, 5, 1000};
    CHECK_FALSE(is_alive(before, before));
    CHECK_FALSE(is_alive(before, {100, 5, 1000 + 148}));
    CHECK_FALSE(is_alive(before, {100, 5, 1000 + 2 * 148}));
    CHECK(is_alive(before, {100, 5, 1000 + 32}));
    CHECK(is_alive(before, {100, 5, 1000 + 148 + 32}));
    CHECK(is_alive(before, {100, 6, 1000 + 148}));
}

} // namespace wgkit::rotate
