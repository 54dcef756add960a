#include "netlink/socket.hpp"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <cerrno>

#include "util/errno_error.hpp"

namespace wgkit::netlink {

namespace {

/// More than the kernel puts into one part of a dump (32 KiB, af_netlink.c).
constexpr std::size_t buffer_bytes = 131072;
constexpr int most_attempts = 20;

/// The kernel's error number in NLMSG_ERROR and NLMSG_DONE, both of which begin with it.
int error_in(const nlmsghdr& message) {
    if (mnl_nlmsg_get_payload_len(&message) < sizeof(int)) return EBADMSG;
    return -*static_cast<const int*>(mnl_nlmsg_get_payload(&message));
}

} // namespace

void Socket::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Socket::Socket(std::unique_ptr<mnl_socket, Close> socket)
    : socket_(std::move(socket)), buffer_(buffer_bytes, '\0') {}

Result<Socket> Socket::open(int bus) {
    std::unique_ptr<mnl_socket, Close> socket(mnl_socket_open2(bus, SOCK_CLOEXEC));
    if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) != 0)
        return errno_error("cannot open a netlink socket");
    return Socket(std::move(socket));
}

void Socket::filter_dumps() {
    int on = 1;
    mnl_socket_setsockopt(socket_.get(), NETLINK_GET_STRICT_CHK, &on, sizeof on);
}

Result<void> Socket::ask(nlmsghdr& request, const char* what, const Reader& reader) {
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        kernel_error_ = 0;
        request.nlmsg_seq = ++sequence_;
        if (reader.begin) reader.begin();
        while (mnl_socket_sendto(socket_.get(), &request, request.nlmsg_len) < 0)
            if (errno != EINTR) return errno_error(what);
        const auto outcome = read_answer(sequence_, what, reader);
        if (!outcome) return outcome.error();
        if (*outcome == Outcome::complete) return {};
    }
    return Error{
        Errc::conflict, fmt::format("{}: it changes faster than it can be read", what), {}};
}

Result<Socket::Outcome> Socket::read_answer(std::uint32_t sequence, const char* what,
                                            const Reader& reader) {
    bool consistent = true;
    for (;;) {
        const auto count = mnl_socket_recvfrom(socket_.get(), buffer_.data(), buffer_.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno_error(what);
        auto left = static_cast<int>(count);
        for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
             mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            // The answer to an earlier question, given up halfway.
            if (message->nlmsg_seq != sequence) continue;
            if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) consistent = false;
            const bool last =
                message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE;
            if (last) {
                kernel_error_ = error_in(*message);
                if (kernel_error_ == EINTR) return Outcome::inconsistent;
                if (kernel_error_ != 0) return errno_error(what, kernel_error_);
                return consistent ? Outcome::complete : Outcome::inconsistent;
            }
            if (message->nlmsg_type < NLMSG_MIN_TYPE) continue;
            // What is in an inconsistent dump is thrown away anyway.
            if (consistent)
                if (auto good = reader.message(*message); !good) return good.error();
        }
    }
}

} // namespace wgkit::netlink
