// udp_numbers OWN PEER PORT RATE [SECONDS]: numbered datagrams to PEER, so many a second, and those
// of the same program over there received, until SIGTERM or for so long; then two seconds for what
// is on its way. Prints how many were sent, how many different ones came, and how many came again:
//   sent 1000 received 998 again 0 gaps 317+2
// A sender that is late, because the machine had other things to do, sends less and not all at
// once: else what does not fit into queues would count as lost by the tunnel.
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t is_over = 0;

constexpr std::size_t datagram_bytes = 64;
constexpr double longest_arrears = 0.02; ///< seconds
constexpr std::uint64_t greeting = ~std::uint64_t{0};

struct Count {
    std::uint64_t received = 0;
    std::uint64_t again = 0;
    std::vector<bool> seen;
};

/// Where the missing ones are, up to the newest that came: `FIRST+COUNT`, the first five.
void print_gaps(const std::vector<bool>& seen) {
    std::size_t end = seen.size();
    while (end > 0 && !seen[end - 1]) --end;
    constexpr int most = 5;
    int gaps = 0;
    for (std::size_t i = 0; i < end && gaps < most; ++i) {
        if (seen[i]) continue;
        const std::size_t first = i;
        while (i < end && !seen[i]) ++i;
        std::printf(" %zu+%zu", first, i - first);
        ++gaps;
    }
}

int connected_socket(const char* own, const char* peer, const char* port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* here = nullptr;
    addrinfo* there = nullptr;
    if (::getaddrinfo(own, port, &hints, &here) != 0
        || ::getaddrinfo(peer, port, &hints, &there) != 0)
        return -1;
    const int fd = ::socket(here->ai_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const int room = 8 << 20;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    if (::bind(fd, here->ai_addr, here->ai_addrlen) != 0
        || ::connect(fd, there->ai_addr, there->ai_addrlen) != 0)
        return -1;
    return fd;
}

Count receive(int fd, const std::atomic<bool>& stop, std::atomic<bool>& is_heard) {
    Count count;
    auto& seen = count.seen;
    while (!stop) {
        pollfd waits{fd, POLLIN, 0};
        if (::poll(&waits, 1, 50) <= 0) continue;
        std::array<char, datagram_bytes> data{};
        while (::recv(fd, data.data(), data.size(), 0) > 0) {
            std::uint64_t number = 0;
            std::memcpy(&number, data.data(), sizeof number);
            is_heard = true;
            if (number == greeting) continue;
            if (number >= seen.size()) seen.resize(2 * number + 1024);
            if (seen[number])
                ++count.again;
            else
                ++count.received;
            seen[number] = true;
        }
    }
    return count;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 5) return 64;
    const int fd = connected_socket(argv[1], argv[2], argv[3]);
    if (fd < 0) {
        std::perror("socket");
        return 1;
    }
    const double rate = std::strtod(argv[4], nullptr);
    const double seconds = argc > 5 ? std::strtod(argv[5], nullptr) : 1e9;
    struct sigaction action {};
    action.sa_handler = [](int) { is_over = 1; };
    ::sigaction(SIGTERM, &action, nullptr);
    std::atomic<bool> stop = false;
    Count count;
    std::atomic<bool> is_heard = false;
    std::thread receiver([&] { count = receive(fd, stop, is_heard); });
    const auto send_number = [fd](std::uint64_t number) {
        std::array<char, datagram_bytes> data{};
        std::memcpy(data.data(), &number, sizeof number);
        return ::send(fd, data.data(), data.size(), 0) == static_cast<ssize_t>(data.size())
               || (errno != EAGAIN && errno != EWOULDBLOCK); // refused by the way, it is lost
    };
    // Whoever sends this is there to receive.
    while (is_over == 0) {
        (void)send_number(greeting);
        if (is_heard) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }

    // Few wake-ups at low rates: virtual machines without hardware's help are slow.
    const auto pause = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::duration<double>(rate < 2000 ? 0.5 / rate : 0.00025));
    const double most_at_once = 1 + rate * longest_arrears;
    std::uint64_t sent = 0;
    double due = 0;
    const auto begin = Clock::now();
    auto last = begin;
    while (is_over == 0) {
        const auto now = Clock::now();
        if (std::chrono::duration<double>(now - begin).count() >= seconds) break;
        due =
            std::min(due + std::chrono::duration<double>(now - last).count() * rate, most_at_once);
        last = now;
        for (; due >= 1 && send_number(sent); --due) ++sent;
        std::this_thread::sleep_for(pause);
    }
    std::this_thread::sleep_for(std::chrono::seconds(2));
    stop = true;
    receiver.join();
    std::printf("sent %llu received %llu again %llu gaps", static_cast<unsigned long long>(sent),
                static_cast<unsigned long long>(count.received),
                static_cast<unsigned long long>(count.again));
    print_gaps(count.seen);
    std::printf("\n");
    return 0;
}
