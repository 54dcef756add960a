#include "netlink/wireguard.hpp"

#include <fmt/format.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <net/if.h>
#include <sodium.h>

#include <array>
#include <cerrno>

#include "netlink/attributes.hpp"
#include "netlink/family.hpp"
#include "netlink/sockaddr.hpp"
#include "netlink/socket.hpp"
#include "util/errno_error.hpp"

namespace wgkit::netlink {

namespace {

/// struct __kernel_timespec
struct KernelTime {
    std::int64_t seconds;
    std::int64_t nanoseconds;
};

/// A secret key; `out` stays empty for one of zeros, which stands for none.
template <class Key>
bool read_secret(const nlattr& attribute, std::optional<Key>& out) {
    const auto bytes = bytes_of(attribute);
    if (bytes.size() != key_bytes) return false;
    if (sodium_is_zero(bytes.data(), bytes.size()) == 0) out.emplace(bytes.first<key_bytes>());
    return true;
}

bool read_endpoint(const nlattr& attribute, std::optional<DeviceEndpoint>& out) {
    out = from_sockaddr(bytes_of(attribute));
    return out.has_value();
}

bool read_allowed_ip(const nlattr& nest, std::vector<Prefix>& out) {
    std::uint16_t family = AF_UNSPEC;
    std::uint8_t length = 0;
    std::span<const std::uint8_t> address;
    const bool good = each_nested(nest, [&](int type, const nlattr& attribute) {
        switch (type) {
        case WGALLOWEDIP_A_FAMILY:
            return read_value(attribute, family);
        case WGALLOWEDIP_A_IPADDR:
            address = bytes_of(attribute);
            return true;
        case WGALLOWEDIP_A_CIDR_MASK:
            return read_value(attribute, length);
        default:
            return true;
        }
    });
    const bool v4 = family == AF_INET;
    if (!good || (!v4 && family != AF_INET6) || address.size() != (v4 ? 4U : 16U)
        || length > (v4 ? 32 : 128))
        return false;
    out.push_back({IpAddress::from_bytes(v4 ? Family::ipv4 : Family::ipv6, address), length});
    return true;
}

bool read_peer_field(int type, const nlattr& attribute, DevicePeer& peer) {
    switch (type) {
    case WGPEER_A_PRESHARED_KEY:
        return read_secret(attribute, peer.preshared_key);
    case WGPEER_A_ENDPOINT:
        return read_endpoint(attribute, peer.endpoint);
    case WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL:
        return read_value(attribute, peer.persistent_keepalive);
    case WGPEER_A_LAST_HANDSHAKE_TIME: {
        KernelTime time{};
        if (!read_value(attribute, time)) return false;
        peer.last_handshake_seconds = time.seconds;
        peer.last_handshake_nanoseconds = static_cast<std::uint32_t>(time.nanoseconds);
        return true;
    }
    case WGPEER_A_RX_BYTES:
        return read_value(attribute, peer.rx_bytes);
    case WGPEER_A_TX_BYTES:
        return read_value(attribute, peer.tx_bytes);
    case WGPEER_A_ALLOWEDIPS:
        return each_nested(attribute, [&peer](int, const nlattr& nest) {
            return read_allowed_ip(nest, peer.allowed_ips);
        });
    default:
        return true; // of a newer kernel
    }
}

bool read_peer(const nlattr& nest, std::vector<DevicePeer>& peers) {
    std::optional<PublicKey> key;
    each_nested(nest, [&key](int type, const nlattr& attribute) {
        if (type == WGPEER_A_PUBLIC_KEY && !read_value(attribute, key.emplace().bytes)) key.reset();
        return true;
    });
    if (!key) return false;
    if (peers.empty() || peers.back().public_key != *key) {
        peers.emplace_back();
        peers.back().public_key = *key;
    }
    return each_nested(nest, [&peers](int type, const nlattr& attribute) {
        return read_peer_field(type, attribute, peers.back());
    });
}

bool read_device_field(int type, const nlattr& attribute, Device& device) {
    switch (type) {
    case WGDEVICE_A_PRIVATE_KEY:
        return read_secret(attribute, device.private_key);
    case WGDEVICE_A_PUBLIC_KEY:
        return read_value(attribute, device.public_key.emplace().bytes);
    case WGDEVICE_A_LISTEN_PORT:
        return read_value(attribute, device.listen_port);
    case WGDEVICE_A_FWMARK:
        return read_value(attribute, device.fwmark);
    case WGDEVICE_A_PEERS:
        return each_nested(attribute, [&device](int, const nlattr& nest) {
            return read_peer(nest, device.peers);
        });
    default:
        return true;
    }
}

Error not_found(const std::string& name) {
    return {Errc::not_found, fmt::format("no interface {}", name),
            "wgkit net show interfaces lists those of WireGuard"};
}

} // namespace

Error not_wireguard(const std::string& name) {
    return {Errc::invalid, fmt::format("{} is not a WireGuard interface", name), {}};
}

Error explain(int kernel_error, const std::string& name, const Error& error,
              std::string_view verb) {
    if (kernel_error == ENODEV) return not_found(name);
    if (kernel_error == EOPNOTSUPP) return not_wireguard(name);
    if (kernel_error == EPERM || kernel_error == EACCES)
        return {Errc::permission, fmt::format("no permission to {} {}", verb, name),
                "it takes root or CAP_NET_ADMIN"};
    return {error.code, fmt::format("{}: {}", name, error.message), error.hint};
}

Result<void> add_message(Device& device, const nlmsghdr& message) {
    const bool good =
        each_attribute(message, sizeof(genlmsghdr), [&device](int type, const nlattr& attribute) {
            return read_device_field(type, attribute, device);
        });
    if (good) return {};
    return Error{Errc::invalid, "the kernel's answer is malformed", {}};
}

Result<Device> read_device(const std::string& name) {
    if (::if_nametoindex(name.c_str()) == 0) return not_found(name);
    auto socket = Socket::open(NETLINK_GENERIC);
    if (!socket) return socket.error();
    const auto family = find_family(*socket, WG_GENL_NAME);
    if (!family) return family.error();
    if (!*family) return not_wireguard(name); // no device of this kernel can be one
    alignas(nlmsghdr) std::array<char, 256> buffer{};
    nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
    request->nlmsg_type = **family;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP;
    auto* header =
        static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(request, sizeof(genlmsghdr)));
    header->cmd = WG_CMD_GET_DEVICE;
    header->version = WG_GENL_VERSION;
    mnl_attr_put_strz(request, WGDEVICE_A_IFNAME, name.c_str());

    Device device;
    const Reader reader{
        [&] {
            device = Device();
            device.name = name;
        },
        [&device](const nlmsghdr& message) { return add_message(device, message); }};
    if (auto asked = socket->ask(*request, "cannot read the device", reader); !asked)
        return explain(socket->kernel_error(), name, asked.error(), "read");
    return device;
}

} // namespace wgkit::netlink
