#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>

#include <array>

#include "netlink/wireguard.hpp"
#include "support/catch.hpp"

using namespace wgkit;

namespace {

/// One message of a dump under construction.
class Message {
  public:
    Message() { mnl_nlmsg_put_extra_header(message_, sizeof(genlmsghdr)); }
    Message(const Message&) = delete; // it points into itself
    Message& operator=(const Message&) = delete;

    Message& put(int type, const void* data, std::size_t size) {
        mnl_attr_put(message_, static_cast<std::uint16_t>(type), size, data);
        return *this;
    }
    Message& key(int type, std::uint8_t first) {
        std::array<std::uint8_t, key_bytes> bytes{first};
        return put(type, bytes.data(), bytes.size());
    }
    Message& open(int type) {
        nests_.push_back(mnl_attr_nest_start(message_, static_cast<std::uint16_t>(type)));
        return *this;
    }
    Message& close() {
        mnl_attr_nest_end(message_, nests_.back());
        nests_.pop_back();
        return *this;
    }
    Message& allowed_ip(std::uint16_t family, std::size_t size, std::uint8_t last,
                        std::uint8_t length) {
        std::array<std::uint8_t, 16> address{10};
        address.at(size - 1) = last;
        open(0).put(WGALLOWEDIP_A_FAMILY, &family, sizeof family);
        put(WGALLOWEDIP_A_IPADDR, address.data(), size);
        return put(WGALLOWEDIP_A_CIDR_MASK, &length, 1).close();
    }
    const nlmsghdr& operator*() const { return *message_; }

  private:
    alignas(nlmsghdr) std::array<char, 4096> buffer_{};
    nlmsghdr* message_ = mnl_nlmsg_put_header(buffer_.data());
    std::vector<nlattr*> nests_;
};

} // namespace

TEST_CASE("a peer that goes on in the next message is one peer") {
    Device device;
    Message first;
    const std::uint16_t port = 51820;
    const std::uint32_t fwmark = 7;
    first.key(WGDEVICE_A_PRIVATE_KEY, 9).key(WGDEVICE_A_PUBLIC_KEY, 8);
    first.put(WGDEVICE_A_LISTEN_PORT, &port, sizeof port);
    first.put(WGDEVICE_A_FWMARK, &fwmark, sizeof fwmark).open(WGDEVICE_A_PEERS);
    first.open(0).key(WGPEER_A_PUBLIC_KEY, 1).key(WGPEER_A_PRESHARED_KEY, 5).close();
    const std::uint64_t received = 1ULL << 40;
    first.open(0).key(WGPEER_A_PUBLIC_KEY, 2).key(WGPEER_A_PRESHARED_KEY, 0);
    first.put(WGPEER_A_RX_BYTES, &received, sizeof received).open(WGPEER_A_ALLOWEDIPS);
    first.allowed_ip(AF_INET, 4, 1, 32).close().close().close();
    REQUIRE(netlink::add_message(device, *first));

    Message second;
    second.open(WGDEVICE_A_PEERS).open(0).key(WGPEER_A_PUBLIC_KEY, 2).open(WGPEER_A_ALLOWEDIPS);
    second.allowed_ip(AF_INET6, 16, 2, 128).close().close();
    second.open(0).key(WGPEER_A_PUBLIC_KEY, 3).close().close();
    REQUIRE(netlink::add_message(device, *second));

    CHECK(device.private_key->reveal()[0] == 9);
    CHECK(device.public_key->bytes[0] == 8);
    CHECK(device.listen_port == port);
    CHECK(device.fwmark == fwmark);
    REQUIRE(device.peers.size() == 3);
    CHECK(device.peers[0].preshared_key->reveal()[0] == 5);
    CHECK_FALSE(device.peers[1].preshared_key);
    CHECK(device.peers[1].rx_bytes == received);
    CHECK(device.peers[1].allowed_ips
          == std::vector{*Prefix::parse("10.0.0.1/32"), *Prefix::parse("a00::2/128")});
    CHECK(device.peers[2].public_key.bytes[0] == 3);
}

TEST_CASE("a malformed message of the kernel is refused") {
    const std::uint16_t port = 1;
    const auto accepts = [](const Message& message) {
        Device device;
        return static_cast<bool>(netlink::add_message(device, *message));
    };
    CHECK(accepts(Message()));
    CHECK_FALSE(accepts(Message().put(WGDEVICE_A_PRIVATE_KEY, &port, sizeof port)));
    CHECK_FALSE(accepts(Message().put(WGDEVICE_A_FWMARK, &port, sizeof port)));
    // A peer without a key.
    CHECK_FALSE(accepts(Message().open(WGDEVICE_A_PEERS).open(0).close().close()));
    const auto accepts_peer = [&](int type, const void* data, std::size_t size) {
        Message message;
        message.open(WGDEVICE_A_PEERS).open(0).key(WGPEER_A_PUBLIC_KEY, 1);
        return accepts(message.put(type, data, size).close().close());
    };
    CHECK(accepts_peer(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, &port, sizeof port));
    CHECK_FALSE(accepts_peer(WGPEER_A_RX_BYTES, &port, sizeof port));
    CHECK_FALSE(accepts_peer(WGPEER_A_LAST_HANDSHAKE_TIME, &port, sizeof port));
    const sockaddr_in in{AF_INET, 0, {}, {}};
    CHECK(accepts_peer(WGPEER_A_ENDPOINT, &in, sizeof in));
    CHECK_FALSE(accepts_peer(WGPEER_A_ENDPOINT, &in, sizeof in - 1));
    const auto accepts_ip = [&](std::uint16_t family, std::size_t size, std::uint8_t length) {
        Message message;
        message.open(WGDEVICE_A_PEERS)
            .open(0)
            .key(WGPEER_A_PUBLIC_KEY, 1)
            .open(WGPEER_A_ALLOWEDIPS);
        return accepts(message.allowed_ip(family, size, 1, length).close().close().close());
    };
    CHECK(accepts_ip(AF_INET, 4, 0));
    CHECK_FALSE(accepts_ip(AF_INET, 4, 33));
    CHECK_FALSE(accepts_ip(AF_INET, 16, 32));
    CHECK_FALSE(accepts_ip(AF_INET6, 16, 129));
    CHECK_FALSE(accepts_ip(AF_UNIX, 4, 1));
}
