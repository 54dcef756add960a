#include "netlink/backend.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <cerrno>

#include "netlink/family.hpp"
#include "netlink/sockaddr.hpp"
#include "netlink/socket.hpp"
#include "netlink/wireguard.hpp"

namespace wgkit::netlink {

namespace {

// Of newer headers than those of the oldest system that this is compiled on.
constexpr std::uint16_t allowed_ip_flags = 4;
constexpr std::uint32_t remove_allowed_ip = 1;

/// All peers of a message are one attribute, whose length has 16 bits.
constexpr std::size_t message_bytes = 60000;
constexpr std::size_t allowed_ip_bytes = 64;
constexpr std::size_t peer_bytes = 256; ///< without its allowed IPs

std::size_t size_of(const PeerStep& step) {
    return peer_bytes + allowed_ip_bytes * (step.allowed_ips.size() + step.removed_ips.size());
}
static_assert(peer_bytes + allowed_ip_bytes * most_allowed_ips < message_bytes / 1.5);

/// One message under construction. Its memory is wiped: it may hold keys.
class Message {
  public:
    Message(std::uint16_t family, const std::string& name) : buffer_(message_bytes + 4096, '\0') {
        message_ = mnl_nlmsg_put_header(buffer_.data());
        message_->nlmsg_type = family;
        message_->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
        auto* header =
            static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(message_, sizeof(genlmsghdr)));
        header->cmd = WG_CMD_SET_DEVICE;
        header->version = WG_GENL_VERSION;
        mnl_attr_put_strz(message_, WGDEVICE_A_IFNAME, name.c_str());
    }

    void put(const DeviceChange& change) {
        if (change.listen_port)
            mnl_attr_put_u16(message_, WGDEVICE_A_LISTEN_PORT, *change.listen_port);
        if (change.fwmark) mnl_attr_put_u32(message_, WGDEVICE_A_FWMARK, *change.fwmark);
        if (change.private_key)
            mnl_attr_put(message_, WGDEVICE_A_PRIVATE_KEY, key_bytes,
                         change.private_key->reveal().data());
    }

    void put(const PeerStep& step) {
        if (peers_ == nullptr) peers_ = mnl_attr_nest_start(message_, WGDEVICE_A_PEERS);
        nlattr* peer = mnl_attr_nest_start(message_, 0);
        mnl_attr_put(message_, WGPEER_A_PUBLIC_KEY, key_bytes, step.public_key.bytes.data());
        std::uint32_t flags = 0;
        if (step.remove) flags |= WGPEER_F_REMOVE_ME;
        if (!step.remove && !step.is_new) flags |= WGPEER_F_UPDATE_ONLY;
        if (flags != 0) mnl_attr_put_u32(message_, WGPEER_A_FLAGS, flags);
        if (step.preshared_key != nullptr)
            mnl_attr_put(message_, WGPEER_A_PRESHARED_KEY, key_bytes,
                         step.preshared_key->reveal().data());
        if (step.endpoint) {
            sockaddr_storage address;
            const auto bytes = to_sockaddr(*step.endpoint, address);
            mnl_attr_put(message_, WGPEER_A_ENDPOINT, bytes, &address);
        }
        if (step.persistent_keepalive)
            mnl_attr_put_u16(message_, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
                             *step.persistent_keepalive);
        if (!step.allowed_ips.empty() || !step.removed_ips.empty()) {
            nlattr* list = mnl_attr_nest_start(message_, WGPEER_A_ALLOWEDIPS);
            for (const auto& prefix : step.allowed_ips) put(prefix, 0);
            for (const auto& prefix : step.removed_ips) put(prefix, remove_allowed_ip);
            mnl_attr_nest_end(message_, list);
        }
        mnl_attr_nest_end(message_, peer);
    }

    nlmsghdr& end() {
        if (peers_ != nullptr) mnl_attr_nest_end(message_, peers_);
        return *message_;
    }

  private:
    void put(const Prefix& prefix, std::uint32_t flags) {
        nlattr* nest = mnl_attr_nest_start(message_, 0);
        const auto bytes = prefix.address.bytes();
        mnl_attr_put_u16(message_, WGALLOWEDIP_A_FAMILY,
                         prefix.address.is_v4() ? AF_INET : AF_INET6);
        mnl_attr_put(message_, WGALLOWEDIP_A_IPADDR, bytes.size(), bytes.data());
        mnl_attr_put_u8(message_, WGALLOWEDIP_A_CIDR_MASK, prefix.length);
        if (flags != 0) mnl_attr_put_u32(message_, allowed_ip_flags, flags);
        mnl_attr_nest_end(message_, nest);
    }

    SecretString buffer_;
    nlmsghdr* message_;
    nlattr* peers_ = nullptr;
};

} // namespace

std::size_t Backend::fits(std::span<const PeerStep> steps) const {
    std::size_t bytes = 0;
    std::size_t count = 0;
    while (count < steps.size() && (bytes += size_of(steps[count])) < message_bytes) ++count;
    return count;
}

Result<int> Backend::send(const DeviceChange* fields, std::span<const PeerStep> steps) {
    auto socket = Socket::open(NETLINK_GENERIC);
    if (!socket) return socket.error();
    const auto family = find_family(*socket, WG_GENL_NAME);
    if (!family) return family.error();
    if (!*family) return not_wireguard(name_);
    Message message(**family, name_);
    if (fields != nullptr) message.put(*fields);
    for (const auto& step : steps) {
        if (!step.by_dummy) {
            message.put(step);
            continue;
        }
        for (const auto& one : by_dummy_peer(step)) message.put(one);
    }
    const Reader no_answer{{}, [](const nlmsghdr&) { return Result<void>(); }};
    const auto sent = socket->ask(message.end(), "cannot change the device", no_answer);
    const int code = socket->kernel_error();
    const bool is_refusal =
        code != 0 && code != EPERM && code != EACCES && code != ENODEV && code != EOPNOTSUPP;
    if (sent || is_refusal) return code;
    return explain(code, name_, sent.error(), "change");
}

} // namespace wgkit::netlink
