#include "engine/segment_limit.hpp"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <memory>

#include "engine/messages.hpp"
#include "engine/send_batch.hpp"
#include "util/errno_error.hpp"

namespace wgkit::engine {

std::size_t segments_of_a_train(std::size_t mtu) {
    const std::size_t datagrams = SendBatch::most_bytes_v4 / (mtu + data::overhead);
    return std::clamp<std::size_t>(datagrams, 1, SendBatch::most_segments);
}

Result<void> limit_segments(unsigned interface_index, std::size_t segments) {
    const std::unique_ptr<mnl_socket, int (*)(mnl_socket*)> socket(
        mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC), mnl_socket_close);
    if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) != 0)
        return errno_error("cannot reach the kernel's interfaces");
    alignas(nlmsghdr) std::array<char, 1024> buffer{};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
    message->nlmsg_type = RTM_NEWLINK;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
    link->ifi_index = static_cast<int>(interface_index);
    mnl_attr_put_u32(message, IFLA_GSO_MAX_SEGS, static_cast<std::uint32_t>(segments));
    if (mnl_socket_sendto(socket.get(), message, message->nlmsg_len) < 0)
        return errno_error("cannot limit an interface's segments");
    const auto count = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
    if (count < 0
        || mnl_cb_run(buffer.data(), static_cast<std::size_t>(count), 0,
                      mnl_socket_get_portid(socket.get()), nullptr, nullptr)
               < 0)
        return errno_error("cannot limit an interface's segments");
    return {};
}

} // namespace wgkit::engine
