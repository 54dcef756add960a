#include "engine/link_watch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"

namespace wgkit::engine {

namespace {

constexpr std::size_t buffer_bytes = 16384;

struct U32Attribute {
    std::uint16_t type;
    std::optional<std::uint32_t> value;
};

int read_u32(const nlattr* attribute, void* wanted) {
    auto* found = static_cast<U32Attribute*>(wanted);
    if (mnl_attr_get_type(attribute) == found->type
        && mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
        found->value = mnl_attr_get_u32(attribute);
    return MNL_CB_OK;
}

std::optional<std::uint32_t> attribute_of(const nlmsghdr* message, std::size_t header,
                                          std::uint16_t type) {
    U32Attribute wanted{type, {}};
    mnl_attr_parse(message, static_cast<unsigned>(header), read_u32, &wanted);
    return wanted.value;
}

bool is_our_namespace(int fd) {
    struct stat its {};
    struct stat ours {};
    return ::fstat(fd, &its) == 0 && ::stat("/proc/self/ns/net", &ours) == 0
           && its.st_ino == ours.st_ino && its.st_dev == ours.st_dev;
}

/// The namespace that a message on the socket is from; `here` if nothing is said.
int namespace_of(msghdr& header, int here) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_NETLINK || c->cmsg_type != NETLINK_LISTEN_ALL_NSID) continue;
        int id = here;
        std::memcpy(&id, CMSG_DATA(c), sizeof id);
        return id;
    }
    return here;
}

} // namespace

void LinkWatch::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Result<LinkWatch> LinkWatch::open(int tun) {
    Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return errno_error("cannot watch interfaces");
    int on = 1;
    const bool follows =
        mnl_socket_setsockopt(socket.get(), NETLINK_LISTEN_ALL_NSID, &on, sizeof on) == 0;
    if (mnl_socket_bind(socket.get(), RTMGRP_LINK, MNL_SOCKET_AUTOPID) != 0)
        return errno_error("cannot watch interfaces");
    LinkWatch watch(std::move(socket), tun, follows);
    if (!watch.find()) return errno_error("cannot ask for the device's state");
    return watch;
}

int LinkWatch::descriptor() const { return mnl_socket_get_fd(socket_.get()); }

/// Where the device is, and its state. False if that is not to be learnt.
bool LinkWatch::find() {
    index_ = 0;
    // Linux 5.0; needs CAP_NET_ADMIN in the namespace that the device is in.
    const UniqueFd its_namespace(::ioctl(tun_, TUNGETDEVNETNS));
    if (!its_namespace) {
        // No later than at its start it is where we are.
        return namespace_id_ == here && sequence_ == 0 && ask();
    }
    namespace_id_ = here;
    if (!is_our_namespace(its_namespace.get())) {
        const auto id = follows_ ? id_of_namespace(its_namespace.get()) : std::nullopt;
        if (!id) return false;
        namespace_id_ = *id;
    }
    return ask();
}

/// The number that our namespace has for another; it is given one if need be.
std::optional<int> LinkWatch::id_of_namespace(int fd) {
    const Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
    if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) != 0) return std::nullopt;
    alignas(nlmsghdr) std::array<char, 1024> buffer{};
    // It has one already if the kernel told us of the move: then this fails.
    for (const int type : {RTM_NEWNSID, RTM_GETNSID}) {
        nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
        message->nlmsg_type = static_cast<std::uint16_t>(type);
        message->nlmsg_flags = NLM_F_REQUEST | (type == RTM_NEWNSID ? NLM_F_ACK : 0);
        mnl_nlmsg_put_extra_header(message, sizeof(rtgenmsg));
        mnl_attr_put_u32(message, NETNSA_FD, static_cast<std::uint32_t>(fd));
        if (type == RTM_NEWNSID) mnl_attr_put_u32(message, NETNSA_NSID, UINT32_MAX); // any
        if (mnl_socket_sendto(socket.get(), message, message->nlmsg_len) < 0) return std::nullopt;
        const auto count = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
        message = reinterpret_cast<nlmsghdr*>(buffer.data());
        if (type == RTM_NEWNSID) continue;
        if (!mnl_nlmsg_ok(message, static_cast<int>(count)) || message->nlmsg_type != RTM_NEWNSID)
            return std::nullopt;
        const auto id = attribute_of(message, sizeof(rtgenmsg), NETNSA_NSID);
        if (id && static_cast<int>(*id) >= 0) return static_cast<int>(*id);
    }
    return std::nullopt;
}

bool LinkWatch::ask() {
    ifreq request{}; // the device's name is where it is now, whatever it was
    if (::ioctl(tun_, TUNGETIFF, &request) != 0) return false;
    request.ifr_name[sizeof request.ifr_name - 1] = '\0';
    alignas(nlmsghdr) std::array<char, 256> buffer{};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
    message->nlmsg_type = RTM_GETLINK;
    message->nlmsg_flags = NLM_F_REQUEST;
    message->nlmsg_seq = ++sequence_;
    mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg));
    mnl_attr_put_strz(message, IFLA_IFNAME, request.ifr_name);
    if (!is_here())
        mnl_attr_put_u32(message, IFLA_TARGET_NETNSID, static_cast<std::uint32_t>(namespace_id_));
    return mnl_socket_sendto(socket_.get(), message, message->nlmsg_len) >= 0;
}

std::optional<LinkState> LinkWatch::read() {
    std::optional<LinkState> news;
    alignas(nlmsghdr) std::array<char, buffer_bytes> buffer;
    alignas(cmsghdr) std::array<char, 256> control;
    for (;;) {
        iovec data{buffer.data(), buffer.size()};
        msghdr header{};
        header.msg_iov = &data;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        const auto count = ::recvmsg(descriptor(), &header, 0);
        if (count < 0) {
            if (errno == EINTR) continue;
            if (errno != ENOBUFS) return news;
            // News were lost, perhaps that it moved: what the kernel says now holds.
            if (!find()) return LinkState{false, 0, true};
            continue;
        }
        const int from = namespace_of(header, here);
        auto left = static_cast<int>(count);
        for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
             mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            if (auto one = news_in(message, from)) news = one;
        }
    }
}

std::optional<LinkState> LinkWatch::news_in(const nlmsghdr* message, int from) {
    const bool is_answer = message->nlmsg_seq == sequence_
                           && message->nlmsg_pid == mnl_socket_get_portid(socket_.get());
    if (message->nlmsg_type == NLMSG_ERROR && is_answer) return LinkState{false, 0, true};
    if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK)
        return std::nullopt;
    const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
    if (is_answer)
        index_ = link->ifi_index;
    else if (from != namespace_id_ || link->ifi_index != index_)
        return std::nullopt;
    if (message->nlmsg_type == RTM_DELLINK) {
        if (find()) return std::nullopt; // moved: its state there comes next
        return LinkState{false, 0, true};
    }
    return LinkState{(link->ifi_flags & IFF_UP) != 0,
                     attribute_of(message, sizeof(ifinfomsg), IFLA_MTU).value_or(0), false};
}

} // namespace wgkit::engine
