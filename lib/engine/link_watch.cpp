#include "engine/link_watch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <array>
#include <cerrno>

#include "util/errno_error.hpp"

namespace wgkit::engine {

namespace {

constexpr std::size_t buffer_bytes = 16384;

int read_mtu(const nlattr* attribute, void* mtu) {
    if (mnl_attr_get_type(attribute) == IFLA_MTU && mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
        *static_cast<std::uint32_t*>(mtu) = mnl_attr_get_u32(attribute);
    return MNL_CB_OK;
}

std::uint32_t mtu_of(const nlmsghdr* message) {
    std::uint32_t mtu = 0;
    mnl_attr_parse(message, sizeof(ifinfomsg), read_mtu, &mtu);
    return mtu;
}

} // namespace

void LinkWatch::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Result<LinkWatch> LinkWatch::open(const std::string& interface) {
    const unsigned index = ::if_nametoindex(interface.c_str());
    if (index == 0) return errno_error(fmt::format("no interface {}", interface));
    std::unique_ptr<mnl_socket, Close> socket(
        mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket || mnl_socket_bind(socket.get(), RTMGRP_LINK, MNL_SOCKET_AUTOPID) != 0)
        return errno_error("cannot watch interfaces");
    LinkWatch watch(std::move(socket), index);
    if (!watch.ask()) return errno_error(fmt::format("cannot ask for interface {}", interface));
    return watch;
}

int LinkWatch::descriptor() const { return mnl_socket_get_fd(socket_.get()); }

bool LinkWatch::ask() {
    std::array<char, 256> buffer{};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
    message->nlmsg_type = RTM_GETLINK;
    message->nlmsg_flags = NLM_F_REQUEST;
    message->nlmsg_seq = ++sequence_;
    auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
    link->ifi_index = static_cast<int>(index_);
    return mnl_socket_sendto(socket_.get(), message, message->nlmsg_len) >= 0;
}

std::optional<LinkState> LinkWatch::read() {
    std::optional<LinkState> news;
    alignas(nlmsghdr) std::array<char, buffer_bytes> buffer;
    for (;;) {
        const auto count = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
        if (count < 0) {
            if (errno == EINTR) continue;
            // News were lost: what the kernel says now holds.
            if (errno == ENOBUFS) ask();
            return news;
        }
        auto left = static_cast<int>(count);
        for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
             mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK) continue;
            const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
            if (link->ifi_index != static_cast<int>(index_)) continue;
            if (message->nlmsg_type == RTM_DELLINK)
                news = LinkState{false, 0, true};
            else
                news = LinkState{(link->ifi_flags & IFF_UP) != 0, mtu_of(message), false};
        }
    }
}

} // namespace wgkit::engine
