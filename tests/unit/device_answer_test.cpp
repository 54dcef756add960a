#include "support/catch.hpp"
#include "uapi/answer.hpp"

using namespace wgkit;

namespace {

const std::string key_one = "01" + std::string(62, '0'), key_two = "02" + std::string(62, '0');
const std::string none(64, '0');

const std::string whole =
    "private_key=" + key_one + "\nlisten_port=51820\nfwmark=51820\nown_public_key=x\n"
    + "public_key=" + key_one + "\npreshared_key=" + key_two
    + "\nprotocol_version=1\nendpoint=[fe80::7%42]:0\n"
      "last_handshake_time_sec=1700000000\nlast_handshake_time_nsec=999999999\n"
      "tx_bytes=18446744073709551615\nrx_bytes=7\n"
      "persistent_keepalive_interval=65535\nallowed_ip=10.0.0.5/24\n"
      "allowed_ip=::/0\npublic_key="
    + key_two + "\npreshared_key=" + none + "\nendpoint=192.0.2.1:9\nerrno=0\n\n";

Result<Device> read(std::string_view text, std::size_t step) {
    uapi::Answer answer("wg0");
    for (; !text.empty(); text.remove_prefix(std::min(step, text.size())))
        if (auto fed = answer.feed(text.substr(0, step)); !fed) return fed.error();
    if (!answer.is_complete()) return Error{Errc::invalid, "incomplete", {}};
    return answer.take();
}

std::string error_of(const std::string& text) {
    const auto device = read(text, text.size());
    return device ? "" : device.error().message;
}

} // namespace

TEST_CASE("an answer is read the same in parts of any size") {
    for (std::size_t step = 1; step <= whole.size(); ++step) {
        const auto device = read(whole, step);
        REQUIRE(device);
        CHECK(device->name == "wg0");
        REQUIRE(device->private_key);
        CHECK(device->public_key == public_key(*device->private_key));
        CHECK(device->listen_port == 51820);
        CHECK(device->fwmark == 51820);
        REQUIRE(device->peers.size() == 2);
        const auto& peer = device->peers[0];
        CHECK(peer.public_key.bytes[0] == 1);
        REQUIRE(peer.preshared_key);
        CHECK(peer.preshared_key->reveal()[0] == 2);
        CHECK(peer.endpoint == DeviceEndpoint{*IpAddress::parse("fe80::7"), 0, 42});
        CHECK(peer.last_handshake_seconds == 1'700'000'000);
        CHECK(peer.last_handshake_nanoseconds == 999'999'999);
        CHECK(peer.tx_bytes == UINT64_MAX);
        CHECK(peer.rx_bytes == 7);
        CHECK(peer.persistent_keepalive == 65535);
        CHECK(peer.allowed_ips
              == std::vector{*Prefix::parse("10.0.0.5/24"), *Prefix::parse("::/0")});
        CHECK_FALSE(device->peers[1].preshared_key); // zeros stand for none
        CHECK(device->peers[1].endpoint == DeviceEndpoint{*IpAddress::parse("192.0.2.1"), 9, 0});
    }
}

TEST_CASE("a device without keys and peers is one, too") {
    const auto device = read("errno=0\n\n", 100);
    REQUIRE(device);
    CHECK_FALSE(device->private_key);
    CHECK_FALSE(device->public_key);
    CHECK(device->peers.empty());
}

TEST_CASE("a malformed answer is refused with its line and key, without the value") {
    const std::string peer = "public_key=" + key_one + "\n", end = "errno=0\n\n";
    const std::vector<std::pair<std::string, std::string>> cases{
        {"private_key=" + key_one.substr(1), "line 1: bad private_key"},
        {"private_key=" + key_one + "0", "line 1: bad private_key"},
        {"private_key=" + std::string(64, 'g'), "line 1: bad private_key"},
        {"listen_port=65536", "line 1: bad listen_port"},
        {"listen_port=", "line 1: bad listen_port"},
        {"fwmark=4294967296", "line 1: bad fwmark"},
        {"fwmark=0x1", "line 1: bad fwmark"},
        {"allowed_ip=10.0.0.0/8", "line 1: bad allowed_ip"},
        {"last_handshake_time_sec=1", "line 1: bad last_handshake_time_sec"},
        {"public_key=" + none.substr(2), "line 1: bad public_key"},
        {peer + "preshared_key=x", "line 2: bad preshared_key"},
        {peer + "private_key=" + key_one, "line 2: bad private_key"},
        {peer + "listen_port=1", "line 2: bad listen_port"},
        {peer + "allowed_ip=10.0.0.0/33", "line 2: bad allowed_ip"},
        {peer + "allowed_ip=host", "line 2: bad allowed_ip"},
        {peer + "rx_bytes=-1", "line 2: bad rx_bytes"},
        {peer + "tx_bytes=18446744073709551616", "line 2: bad tx_bytes"},
        {peer + "last_handshake_time_sec=9223372036854775808",
         "line 2: bad last_handshake_time_sec"},
        {peer + "last_handshake_time_nsec=1000000000", "line 2: bad last_handshake_time_nsec"},
        {peer + "persistent_keepalive_interval=65536", "line 2: bad persistent_keepalive_interval"},
        {"no equals", "line 1 is no key=value"},
        {"=1", "line 1 is no key=value"},
        {"errno=0\nlisten_port=1", "line 2: bad listen_port"},
        {"errno=x", "line 1: bad errno"},
        {"errno=0\nerrno=0", "line 2: bad errno"},
    };
    for (const auto& [text, message] : cases) {
        INFO(text);
        CHECK(error_of(text + "\n" + end) == message);
    }
    for (const char* endpoint : {"", ":1", "host:1", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536",
                                 "fe80::1:1", "[fe80::1]", "[192.0.2.1]:1", "[]:1", "[::1:1"}) {
        INFO(endpoint);
        CHECK(error_of(peer + "endpoint=" + endpoint + "\n" + end) == "line 2: bad endpoint");
    }
    // A secret in place of a key is not repeated.
    CHECK(error_of(peer + "errno=0\n" + key_one + key_one + "=1\n" + end) == "line 3: bad ?");
}

TEST_CASE("an answer ends with its errno and an empty line, and with nothing behind it") {
    CHECK(error_of("\n") == "the answer ends without its errno");
    CHECK(error_of("listen_port=1\n\n") == "the answer ends without its errno");
    CHECK(error_of("errno=0\n") == "incomplete");
    CHECK(error_of("errno=0\n\nx") == "text after the end of the answer");
    CHECK(error_of("errno=0\n\n\n") == "text after the end of the answer");
    CHECK(error_of("errno=-13\n\n") == "the engine refuses: Permission denied");
    CHECK(error_of("errno=13\n\n") == "the engine refuses: Permission denied");
    CHECK(error_of("errno=0\n\n").empty());
}

TEST_CASE("a line without an end is given up, not kept growing") {
    uapi::Answer answer("wg0");
    Result<void> fed;
    std::size_t taken = 0;
    for (; fed && taken < 1'000'000; taken += 100) fed = answer.feed(std::string(100, 'x'));
    CHECK_FALSE(fed);
    CHECK(taken < 5000);
}

TEST_CASE("endpoints of devices have brackets and their scope") {
    CHECK(to_string(DeviceEndpoint{*IpAddress::parse("192.0.2.1"), 1, 0}) == "192.0.2.1:1");
    CHECK(to_string(DeviceEndpoint{*IpAddress::parse("::1"), 0, 0}) == "[::1]:0");
    CHECK(to_string(DeviceEndpoint{*IpAddress::parse("fe80::1"), 1, 1}) == "[fe80::1%lo]:1");
    CHECK(to_string(DeviceEndpoint{*IpAddress::parse("fe80::1"), 1, 4'000'000'000})
          == "[fe80::1%4000000000]:1");
}
