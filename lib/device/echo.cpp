#include "wgkit/echo.hpp"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"

namespace wgkit {

namespace {

using Clock = std::chrono::steady_clock;

/// Behind the header of an echo: tells our answers from those to others.
struct Payload {
    std::array<std::uint8_t, 16> cookie{};
    std::uint32_t index = 0;
};

struct Message {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint16_t checksum = 0;
    std::uint16_t id = 0;
    std::uint16_t sequence = 0;
    Payload payload;
};
static_assert(sizeof(Message) == 28);

/// RFC 1071. The kernel fills in that of IPv6.
std::uint16_t checksum_of(const Message& message) {
    std::array<std::uint16_t, sizeof(Message) / 2> words{};
    std::memcpy(words.data(), &message, sizeof message);
    std::uint32_t sum = 0;
    for (const auto word : words) sum += word;
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~(sum + (sum >> 16)));
}

struct Sockets {
    UniqueFd ipv4;
    UniqueFd ipv6;
};

/// A raw socket, or where that is forbidden the one that ping_group_range allows.
Result<UniqueFd> open_echo(Family family, const std::string& interface) {
    const int domain = family == Family::ipv4 ? AF_INET : AF_INET6;
    const int protocol = family == Family::ipv4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
    UniqueFd fd(::socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
    if (!fd && (errno == EPERM || errno == EACCES))
        fd = UniqueFd(::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
    if (!fd) return errno_error("cannot open a socket for ICMP");
    if (!interface.empty()
        && ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                        static_cast<socklen_t>(interface.size()))
               != 0)
        return errno_error("cannot ask through " + interface);
    // Thousands of answers come at once. Where forcing is forbidden, what is allowed has to do.
    const int room = 8 << 20;
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return fd;
}

bool send_echo(const Sockets& sockets, const IpAddress& to, const Payload& payload) {
    Message message;
    message.payload = payload;
    message.sequence = htons(static_cast<std::uint16_t>(payload.index));
    const auto bytes = to.bytes();
    if (to.is_v4()) {
        message.type = ICMP_ECHO;
        message.checksum = checksum_of(message);
        sockaddr_in there{};
        there.sin_family = AF_INET;
        std::memcpy(&there.sin_addr, bytes.data(), bytes.size());
        return ::sendto(sockets.ipv4.get(), &message, sizeof message, 0,
                        reinterpret_cast<const sockaddr*>(&there), sizeof there)
               >= 0;
    }
    message.type = ICMP6_ECHO_REQUEST;
    sockaddr_in6 there{};
    there.sin6_family = AF_INET6;
    std::memcpy(&there.sin6_addr, bytes.data(), bytes.size());
    return ::sendto(sockets.ipv6.get(), &message, sizeof message, 0,
                    reinterpret_cast<const sockaddr*>(&there), sizeof there)
           >= 0;
}

/// The index in an answer to us; nothing for other messages. Raw IPv4 has the header in front.
std::optional<std::uint32_t> answer_in(std::span<const std::uint8_t> bytes, Family family,
                                       const Payload& ours) {
    if (bytes.size() < sizeof(Message)) return std::nullopt;
    Message message;
    std::memcpy(&message, bytes.last(sizeof message).data(), sizeof message);
    const std::uint8_t reply =
        family == Family::ipv4 ? std::uint8_t{ICMP_ECHOREPLY} : std::uint8_t{ICMP6_ECHO_REPLY};
    if (message.type != reply || message.payload.cookie != ours.cookie) return std::nullopt;
    return message.payload.index;
}

/// Questions under way, and what came back.
class Round {
  public:
    Round(std::span<const IpAddress> addresses, Sockets sockets)
        : trips(addresses.size()), addresses_(addresses), sockets_(std::move(sockets)),
          sent_(addresses.size()) {
        randombytes_buf(payload_.cookie.data(), payload_.cookie.size());
    }

    /// Asks all that have not answered yet.
    void ask() {
        constexpr std::size_t at_once = 64;
        for (std::size_t i = 0; i < addresses_.size(); ++i) {
            if (trips[i]) continue;
            payload_.index = static_cast<std::uint32_t>(i);
            sent_[i] = Clock::now();
            waits_ = send_echo(sockets_, addresses_[i], payload_) || waits_; // else: no way there
            if (i % at_once == at_once - 1) take();
        }
    }
    /// Whether an answer may still come.
    bool waits() const {
        return waits_ && std::any_of(trips.begin(), trips.end(), [](auto& trip) { return !trip; });
    }
    /// False: the wait failed.
    bool wait(std::chrono::milliseconds time) {
        std::array<pollfd, 2> waits{pollfd{sockets_.ipv4.get(), POLLIN, 0},
                                    pollfd{sockets_.ipv6.get(), POLLIN, 0}};
        if (::poll(waits.data(), waits.size(), static_cast<int>(time.count())) < 0)
            return errno == EINTR;
        take();
        return true;
    }

    std::vector<std::optional<std::chrono::microseconds>> trips;

  private:
    void take() {
        for (const auto family : {Family::ipv4, Family::ipv6}) {
            const int fd = (family == Family::ipv4 ? sockets_.ipv4 : sockets_.ipv6).get();
            std::array<std::uint8_t, 1500> buffer{};
            for (;;) {
                const auto size = fd < 0 ? -1 : ::recv(fd, buffer.data(), buffer.size(), 0);
                if (size < 0) break;
                const auto index = answer_in(
                    std::span(buffer).first(static_cast<std::size_t>(size)), family, payload_);
                if (!index || *index >= trips.size() || trips[*index]) continue;
                trips[*index] = std::chrono::duration_cast<std::chrono::microseconds>(
                    Clock::now() - sent_[*index]);
            }
        }
    }

    std::span<const IpAddress> addresses_;
    Sockets sockets_;
    Payload payload_;
    std::vector<Clock::time_point> sent_;
    bool waits_ = false;
};

} // namespace

Result<std::vector<std::optional<std::chrono::microseconds>>>
echo(std::span<const IpAddress> addresses, std::chrono::milliseconds patience,
     const EchoOptions& options) {
    Sockets sockets;
    for (const auto& address : addresses) {
        UniqueFd& fd = address.is_v4() ? sockets.ipv4 : sockets.ipv6;
        if (fd) continue;
        auto opened = open_echo(address.family(), options.interface);
        if (!opened) return opened.error();
        fd = *std::move(opened);
    }
    Round round(addresses, std::move(sockets));
    const auto each = patience / std::max(1U, options.tries);
    for (unsigned i = 0; i < std::max(1U, options.tries); ++i) {
        const auto end = Clock::now() + each;
        round.ask();
        while (round.waits()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
            if (left.count() <= 0) break;
            if (!round.wait(left)) return errno_error("cannot wait for answers");
        }
        if (!round.waits()) break;
    }
    return std::move(round.trips);
}

} // namespace wgkit
