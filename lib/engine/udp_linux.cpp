#include "engine/udp_linux.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>

#include "engine/socket_address.hpp"
#include "util/errno_error.hpp"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace wgkit::engine {

namespace {

// Bursts of other engines are this large; a queue that is too short loses them.
constexpr int socket_buffer_bytes = 7 << 20;
constexpr int most_port_attempts = 100;

bool set(int fd, int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

void set_buffers(int fd) {
    // FORCE needs CAP_NET_ADMIN; without it the host's limit decides.
    if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, socket_buffer_bytes))
        set(fd, SOL_SOCKET, SO_RCVBUF, socket_buffer_bytes);
    if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, socket_buffer_bytes))
        set(fd, SOL_SOCKET, SO_SNDBUF, socket_buffer_bytes);
}

// The family is compiled out, switched off by sysctl, or has no address.
bool is_missing_family(int error) {
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPROTONOSUPPORT;
}

std::uint16_t bound_port(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    return to_udp_address(address).port;
}

template <class T>
T read_control(const cmsghdr* header) {
    T value{};
    std::memcpy(&value, CMSG_DATA(header), sizeof value);
    return value;
}

/// Appends control messages to a msghdr whose buffer is large enough.
class ControlWriter {
  public:
    explicit ControlWriter(msghdr& header) : header_(header) { header.msg_controllen = 0; }

    template <class T>
    void add(int level, int type, const T& value) {
        auto* at = static_cast<std::uint8_t*>(header_.msg_control) + header_.msg_controllen;
        std::memset(at, 0, CMSG_SPACE(sizeof value)); // the padding too
        auto* control = reinterpret_cast<cmsghdr*>(at);
        control->cmsg_level = level;
        control->cmsg_type = type;
        control->cmsg_len = CMSG_LEN(sizeof value);
        std::memcpy(CMSG_DATA(control), &value, sizeof value);
        header_.msg_controllen += CMSG_SPACE(sizeof value);
    }

  private:
    msghdr& header_;
};

} // namespace

UdpSockets::UdpSockets(UdpOptions options)
    : options_(options),
      bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(buffers * buffer_bytes)),
      outgoing_(most_messages) {
    received_.reserve(2 * buffers);
    for (std::size_t i = 0; i < buffers; ++i)
        in_data_[i] = {bytes_.get() + i * buffer_bytes, buffer_bytes};
}

Result<UniqueFd> UdpSockets::open_one(int family, std::uint16_t port, std::uint32_t mark) {
    UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
    if (!fd && is_missing_family(errno)) return UniqueFd();
    if (!fd) return errno_error("cannot open a UDP socket");
    const bool v4 = family == AF_INET;
    if (!v4) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    // Neither SO_REUSEADDR nor SO_REUSEPORT: two devices must not share a port silently.
    if (mark != 0 && ::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0)
        return errno_error("cannot set the mark of a UDP socket");
    set(fd.get(), SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (v4) {
        set(fd.get(), IPPROTO_IP, IP_PKTINFO, 1);
        set(fd.get(), IPPROTO_IP, IP_RECVTOS, 1);
        // As the kernel's module: no DF, routers may fragment.
        set(fd.get(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    } else {
        set(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        set(fd.get(), IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
        set(fd.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
    }
    set_buffers(fd.get());
    if (options_.coalescing) set(fd.get(), IPPROTO_UDP, UDP_GRO, 1);
    UdpAddress any{v4 ? IpAddress() : to_ip(in6addr_any), port, 0};
    sockaddr_storage address{};
    const socklen_t size = to_sockaddr(any, address);
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) {
        if (is_missing_family(errno)) return UniqueFd();
        if (errno == EADDRINUSE)
            return Error{Errc::conflict, fmt::format("UDP port {} is in use", port),
                         "another program or WireGuard device has it; choose another ListenPort"};
        return errno_error(fmt::format("cannot bind UDP port {}", port));
    }
    return fd;
}

Result<void> UdpSockets::open(std::uint16_t port, std::uint32_t mark) {
    // A port that was open already must be free for the new sockets.
    if (port != 0 && port == port_ && is_open()) return set_mark(mark);
    for (int attempt = 0;; ++attempt) {
        std::array<UniqueFd, 2> fds;
        std::uint16_t chosen = port;
        bool try_again = false;
        for (const int family : {AF_INET, AF_INET6}) {
            auto fd = open_one(family, chosen, mark);
            if (fd) {
                if (*fd) chosen = bound_port(fd->get());
                fds[family == AF_INET ? 0 : 1] = std::move(*fd);
                continue;
            }
            // A port that is free for IPv4 may be taken for IPv6.
            if (port == 0 && fd.error().code == Errc::conflict && attempt < most_port_attempts) {
                try_again = true;
                break;
            }
            return fd.error();
        }
        if (try_again) continue;
        if (!fds[0] && !fds[1])
            return Error{Errc::system, "this host has neither IPv4 nor IPv6", {}};
        int probe = 0;
        socklen_t size = sizeof probe;
        const int any = fds[0] ? fds[0].get() : fds[1].get();
        // Asked first: kernels that do not know UDP_SEGMENT may take it for something else.
        segmentation_ = options_.segmentation
                        && ::getsockopt(any, IPPROTO_UDP, UDP_SEGMENT, &probe, &size) == 0;
        for (std::size_t i = 0; i < 2; ++i)
            sockets_[i] = {std::move(fds[i]), i == 0 ? AF_INET : AF_INET6, 0};
        port_ = chosen;
        return {};
    }
}

void UdpSockets::close() {
    for (auto& socket : sockets_) socket.fd = UniqueFd();
    next_train_ = 0;
}

Result<void> UdpSockets::set_mark(std::uint32_t mark) {
    for (auto& socket : sockets_)
        if (socket.fd
            && ::setsockopt(socket.fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0)
            return errno_error("cannot set the mark of a UDP socket");
    return {};
}

std::span<Received> UdpSockets::receive() {
    received_.clear();
    // Both families share the buffers; a flood on one must not keep out the other.
    first_ ^= 1;
    for (const std::size_t i : {first_, first_ ^ 1U})
        if (sockets_[i].fd && received_.empty()) receive_from(sockets_[i]);
    return received_;
}

void UdpSockets::receive_from(Socket& socket) {
    for (std::size_t i = 0; i < buffers; ++i) {
        msghdr& header = in_[i].msg_hdr;
        header.msg_name = &in_address_[i];
        header.msg_namelen = sizeof in_address_[i];
        header.msg_iov = &in_data_[i];
        header.msg_iovlen = 1;
        header.msg_control = in_control_[i].bytes.data();
        header.msg_controllen = in_control_[i].bytes.size();
        header.msg_flags = 0;
    }
    const int count = ::recvmmsg(socket.fd.get(), in_.data(), buffers, MSG_DONTWAIT, nullptr);
    for (int n = 0; n < count; ++n) {
        const auto i = static_cast<std::size_t>(n);
        msghdr& header = in_[i].msg_hdr;
        const std::size_t size = in_[i].msg_len;
        if (size == 0 || (header.msg_flags & MSG_TRUNC) != 0) continue;
        Received received;
        received.bytes = {bytes_.get() + i * buffer_bytes, size};
        received.segment_size = size;
        received.path.remote = to_udp_address(in_address_[i]);
        for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
            if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
                const int segment = read_control<int>(c);
                if (segment > 0) received.segment_size = static_cast<std::size_t>(segment);
            } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
                const auto info = read_control<in_pktinfo>(c);
                received.path.source = {to_ip(info.ipi_spec_dst),
                                        static_cast<std::uint32_t>(info.ipi_ifindex)};
            } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
                const auto info = read_control<in6_pktinfo>(c);
                received.path.source = {to_ip(info.ipi6_addr), info.ipi6_ifindex};
            } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
                received.tos = read_control<std::uint8_t>(c);
            } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
                received.tos = static_cast<std::uint8_t>(read_control<int>(c));
            } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
                const auto overflows = read_control<std::uint32_t>(c);
                counters_.receive_overflows += overflows - socket.overflows;
                socket.overflows = overflows;
            }
        }
        ++counters_.received_batches;
        counters_.received += (size + received.segment_size - 1) / received.segment_size;
        received_.push_back(received);
    }
}

void UdpSockets::fill(std::size_t slot, const Train& train, MutableBytes bytes,
                      std::size_t segment_size) {
    Outgoing& outgoing = outgoing_[slot];
    msghdr& header = out_[slot].msg_hdr;
    header = {};
    header.msg_name = &outgoing.address;
    header.msg_namelen = to_sockaddr(train.path.remote, outgoing.address);
    outgoing.data = {bytes.data(), bytes.size()};
    header.msg_iov = &outgoing.data;
    header.msg_iovlen = 1;
    header.msg_control = outgoing.control.data();
    ControlWriter control(header);
    const bool v4 = train.path.remote.ip.is_v4();
    if (bytes.size() > segment_size)
        control.add(IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(segment_size));
    // The address alone: which interface leads to the peer is for the routes to say.
    const Source& source = train.path.source;
    if (source.is_set() && source.ip.is_v4() == v4) {
        if (v4) {
            in_pktinfo info{};
            std::memcpy(&info.ipi_spec_dst, source.ip.bytes().data(), sizeof info.ipi_spec_dst);
            control.add(IPPROTO_IP, IP_PKTINFO, info);
        } else {
            in6_pktinfo info{};
            std::memcpy(&info.ipi6_addr, source.ip.bytes().data(), sizeof info.ipi6_addr);
            if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = source.interface;
            control.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
        }
    }
    if (train.tos != 0) {
        if (v4)
            control.add(IPPROTO_IP, IP_TOS, int{train.tos});
        else
            control.add(IPPROTO_IPV6, IPV6_TCLASS, int{train.tos});
    }
    if (header.msg_controllen == 0) header.msg_control = nullptr;
}

bool UdpSockets::send(SendBatch& batch) {
    const auto& trains = batch.trains();
    const auto fd_of = [&](const Train& train) {
        return sockets_[train.path.remote.ip.is_v4() ? 0 : 1].fd.get();
    };
    while (next_train_ < trains.size()) {
        const int fd = fd_of(trains[next_train_]);
        std::size_t count = 0;
        while (count < most_messages && next_train_ + count < trains.size()
               && fd_of(trains[next_train_ + count]) == fd) {
            const Train& train = trains[next_train_ + count];
            fill(count++, train, batch.bytes(train), train.segment_size);
        }
        if (fd < 0) { // a family that this host does not have
            counters_.send_errors += count;
            next_train_ += count;
            continue;
        }
        const int sent = ::sendmmsg(fd, out_.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
        if (sent <= 0) {
            const int error = errno;
            if (error == EINTR) continue;
            const Train& train = trains[next_train_];
            if (error == EAGAIN || !send_alone(fd, train, batch.bytes(train), error)) {
                full_ = fd;
                return false;
            }
            ++next_train_;
            continue;
        }
        for (std::size_t i = 0; i < static_cast<std::size_t>(sent); ++i) {
            const Train& train = trains[next_train_ + i];
            counters_.sent += (train.size + train.segment_size - 1) / train.segment_size;
        }
        counters_.sent_batches += static_cast<std::size_t>(sent);
        next_train_ += static_cast<std::size_t>(sent);
    }
    next_train_ = 0;
    batch.clear();
    return true;
}

int UdpSockets::send_one(int fd, const Train& train, MutableBytes bytes, std::size_t segment_size) {
    fill(0, train, bytes, segment_size);
    if (::sendmsg(fd, &out_[0].msg_hdr, MSG_DONTWAIT) < 0) return errno;
    counters_.sent += (bytes.size() + segment_size - 1) / segment_size;
    ++counters_.sent_batches;
    return 0;
}

bool UdpSockets::send_alone(int fd, const Train& train, MutableBytes bytes, int error) {
    if (train.size == train.segment_size)
        return error != EAGAIN && send_single(fd, train, bytes, error);
    if (error == EAGAIN) return false;
    if (error != EIO && error != EINVAL && error != EMSGSIZE && error != EOPNOTSUPP
        && !is_dead_source(train, error)) {
        ++counters_.send_errors;
        return true;
    }
    // EIO: the device cannot checksum, so never again. Else larger than this path's MTU, a source
    // that is gone, or a kernel's mood: this train goes one by one.
    if (error == EIO) segmentation_ = false;
    ++counters_.segmentation_refused;
    for (std::size_t at = 0; at < bytes.size(); at += train.segment_size) {
        const auto segment = bytes.subspan(at, std::min(train.segment_size, bytes.size() - at));
        if (const int failed = send_one(fd, train, segment, segment.size()); failed != 0)
            send_single(fd, train, segment, failed);
    }
    return true;
}

bool UdpSockets::is_dead_source(const Train& train, int error) {
    return train.path.source.is_set()
           && (error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH || error == ENODEV
               || error == EHOSTUNREACH);
}

/// One datagram that could not be sent. Always true: it is sent otherwise, or counts as lost.
bool UdpSockets::send_single(int fd, Train train, MutableBytes bytes, int error) {
    // The remembered source is gone, or not for this route: the kernel may choose another.
    if (is_dead_source(train, error)) {
        const Path dead = train.path;
        train.path.source = {};
        error = send_one(fd, train, bytes, bytes.size());
        if (error == 0) {
            if (on_dead_source) on_dead_source(dead);
            return true;
        }
    }
    // Refused by a firewall, unreachable, out of buffers: as lost on the way.
    ++counters_.send_errors;
    return true;
}

} // namespace wgkit::engine
