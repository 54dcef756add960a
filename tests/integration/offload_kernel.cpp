// The kernel as the judge: two network namespaces, a TUN device in each, and this program as the
// wire between them. What the kernel sends as large packets is split by us and written as plain
// packets, or merged again and written as large ones; the receiver must get every byte in order,
// and the kernel must take every write.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "engine/coalescer.hpp"
#include "engine/segmenter.hpp"
#include "support/packets.hpp"
#include "util/unique_fd.hpp"

using namespace wgkit;
using namespace wgkit::engine;

namespace {

#ifndef TUN_F_USO4
constexpr unsigned TUN_F_USO4 = 0x20;
constexpr unsigned TUN_F_USO6 = 0x40;
#endif

constexpr int skipped = 77;
constexpr std::size_t stream_bytes = 20'000'000;
constexpr int datagrams = 20'000;
constexpr std::size_t datagram_bytes = 1200;
constexpr std::uint16_t port = 5001;
constexpr int seconds_at_most = 30; // for each transfer

[[noreturn]] void fail(const std::string& what) {
    std::perror(what.c_str());
    std::exit(1);
}

void run(const std::string& command) {
    if (std::system(command.c_str()) != 0) fail(command);
}

/// Makes a namespace, goes there, and gives it a TUN device with both addresses ending in `host`.
UniqueFd make_side(int host, bool& has_uso) {
    if (::unshare(CLONE_NEWNET) != 0) {
        std::perror("skipped: no network namespace");
        std::exit(skipped);
    }
    UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (tun.get() < 0) {
        std::perror("skipped: /dev/net/tun");
        std::exit(skipped);
    }
    ifreq request{};
    std::snprintf(request.ifr_name, sizeof request.ifr_name, "split%d", host);
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    if (::ioctl(tun.get(), TUNSETIFF, &request) != 0) fail("TUNSETIFF");
    const unsigned tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    has_uso = ::ioctl(tun.get(), TUNSETOFFLOAD, tso | TUN_F_USO4 | TUN_F_USO6) == 0;
    if (!has_uso && ::ioctl(tun.get(), TUNSETOFFLOAD, tso) != 0) fail("TUNSETOFFLOAD");
    const std::string name = request.ifr_name;
    const std::string number = std::to_string(host);
    run("ip addr add 10.99.0." + number + "/24 dev " + name);
    run("ip addr add fd99::" + number + "/64 nodad dev " + name);
    run("ip link set " + name + " mtu 1420 txqueuelen 2000 up");
    return tun;
}

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address address_of(bool is_v6, int host) {
    Address address;
    const std::string text = (is_v6 ? "fd99::" : "10.99.0.") + std::to_string(host);
    if (is_v6) {
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        ::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr);
        address.size = sizeof *v6;
    } else {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        ::inet_pton(AF_INET, text.c_str(), &v4->sin_addr);
        address.size = sizeof *v4;
    }
    return address;
}

/// A socket that does not wait for ever.
UniqueFd make_socket(bool is_v6, int type) {
    UniqueFd fd(::socket(is_v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
    if (fd.get() < 0) fail("socket");
    const timeval patience{seconds_at_most, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int buffer = 8 << 20;
    if (type == SOCK_DGRAM)
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return fd;
}

const test::PacketBytes& stream() {
    static const test::PacketBytes bytes = test::make_payload(stream_bytes, 77);
    return bytes;
}

/// Says "ready" by a byte, receives the whole stream and compares it.
int receive_tcp(bool is_v6, int ready) {
    const auto listener = make_socket(is_v6, SOCK_STREAM);
    const auto address = address_of(is_v6, 2);
    if (::bind(listener.get(), address.get(), address.size) != 0) fail("bind");
    if (::listen(listener.get(), 1) != 0) fail("listen");
    if (::write(ready, "r", 1) != 1) fail("ready");
    const UniqueFd connection(::accept(listener.get(), nullptr, nullptr));
    if (connection.get() < 0) fail("accept");
    test::PacketBytes received(1 << 20);
    std::size_t done = 0;
    for (;;) {
        const ssize_t count = ::recv(connection.get(), received.data(), received.size(), 0);
        if (count < 0) fail("recv");
        if (count == 0) break;
        const auto size = static_cast<std::size_t>(count);
        if (size > stream_bytes - done
            || !std::equal(received.begin(), received.begin() + count,
                           stream().begin() + static_cast<std::ptrdiff_t>(done))) {
            std::fprintf(stderr, "the stream differs after %zu bytes\n", done);
            return 1;
        }
        done += size;
    }
    if (done != stream_bytes) std::fprintf(stderr, "only %zu bytes arrived\n", done);
    return done == stream_bytes ? 0 : 1;
}

int send_tcp(bool is_v6) {
    const auto fd = make_socket(is_v6, SOCK_STREAM);
    const auto address = address_of(is_v6, 2);
    if (::connect(fd.get(), address.get(), address.size) != 0) fail("connect");
    for (std::size_t done = 0; done < stream_bytes;) {
        // Odd sizes, so that trains end anywhere.
        const std::size_t size = std::min<std::size_t>(stream_bytes - done, 1 + done % 200'001);
        const ssize_t count = ::send(fd.get(), stream().data() + done, size, MSG_NOSIGNAL);
        if (count <= 0) fail("send");
        done += static_cast<std::size_t>(count);
    }
    return 0;
}

test::PacketBytes datagram(int number) {
    return test::make_payload(datagram_bytes, static_cast<std::uint32_t>(number));
}

/// Every datagram whole, right and in order; some may be lost where a queue is full.
int receive_udp(bool is_v6, int ready) {
    const auto fd = make_socket(is_v6, SOCK_DGRAM);
    const auto address = address_of(is_v6, 2);
    if (::bind(fd.get(), address.get(), address.size) != 0) fail("bind");
    if (::write(ready, "r", 1) != 1) fail("ready");
    test::PacketBytes received(65536);
    int count = 0;
    for (int next = 0; next < datagrams; ++next) {
        const ssize_t size = ::recv(fd.get(), received.data(), received.size(), 0);
        if (size == 1) break; // the end
        if (size != static_cast<ssize_t>(datagram_bytes)) {
            std::fprintf(stderr, "a datagram of %zd bytes\n", size);
            return 1;
        }
        // Its first bytes tell its number, as all payloads differ.
        while (next < datagrams
               && !std::equal(received.begin(), received.begin() + 1200, datagram(next).begin()))
            ++next;
        if (next < datagrams) ++count;
    }
    std::printf("  %d of %d datagrams\n", count, datagrams);
    return count >= datagrams / 2 ? 0 : 1;
}

int send_udp(bool is_v6) {
    const auto fd = make_socket(is_v6, SOCK_DGRAM);
    const auto address = address_of(is_v6, 2);
    if (::connect(fd.get(), address.get(), address.size) != 0) fail("connect");
    const int segment = static_cast<int>(datagram_bytes);
    if (::setsockopt(fd.get(), SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0)
        fail("UDP_SEGMENT");
    constexpr int train = 50;
    for (int number = 0; number < datagrams; number += train) {
        test::PacketBytes bytes;
        for (int i = 0; i < train; ++i) {
            const auto one = datagram(number + i);
            bytes.insert(bytes.end(), one.begin(), one.end());
        }
        if (::send(fd.get(), bytes.data(), bytes.size(), 0) < 0) fail("send");
        ::usleep(300); // queues are short
    }
    for (int i = 0; i < 5; ++i) {
        ::usleep(20'000);
        ::send(fd.get(), "e", 1, 0);
    }
    return 0;
}

/// A child process in the present network namespace.
template <typename Work>
pid_t start(Work work) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child < 0) fail("fork");
    if (child != 0) return child;
    ::alarm(seconds_at_most);
    std::exit(work());
}

/// The wire in one direction.
class Wire {
  public:
    Wire(int from, int to, bool merges)
        : from_(from), to_(to), merges_(merges),
          buffer_(std::make_unique<std::uint8_t[]>(batch * slot)) {}

    /// Moves what is there; whether there was anything.
    bool move() {
        std::size_t used = 0;
        for (; used < batch; ++used) {
            std::uint8_t* p = buffer_.get() + used * slot;
            const ssize_t count = ::read(from_, p, slot - 15);
            if (count < 0) break;
            virtio_net_hdr header{};
            std::memcpy(&header, p, sizeof header);
            Malformed why{};
            auto segmenter = Segmenter::start(
                header, {p + sizeof header, static_cast<std::size_t>(count) - sizeof header}, why);
            if (!segmenter) {
                std::fprintf(stderr, "malformed: %d\n", static_cast<int>(why));
                ++errors;
                continue;
            }
            ++reads;
            for (auto segment = segmenter->next(); !segment.empty(); segment = segmenter->next()) {
                ++packets;
                // Segments share bytes, so that what is kept must be copied, as sealing does.
                pending_.emplace_back(segment.begin(), segment.end());
            }
        }
        for (auto& packet : pending_) {
            if (coalescer_.is_full()) flush();
            if (merges_)
                coalescer_.add(packet);
            else
                write_plain(packet);
        }
        flush();
        pending_.clear();
        return used != 0;
    }

    long reads = 0, packets = 0, writes = 0, errors = 0;

  private:
    static constexpr std::size_t batch = 4;
    static constexpr std::size_t slot = 65536 + 64;

    void write_plain(test::PacketBytes& packet) {
        virtio_net_hdr none{};
        const iovec parts[] = {{&none, sizeof none}, {packet.data(), packet.size()}};
        write(parts);
    }
    void flush() {
        for (const auto& super : coalescer_.finish()) write(super.parts);
        coalescer_.clear();
    }
    void write(std::span<const iovec> parts) {
        ++writes;
        if (::writev(to_, parts.data(), static_cast<int>(parts.size())) >= 0) return;
        std::perror("writev");
        ++errors;
    }

    int from_;
    int to_;
    bool merges_;
    std::unique_ptr<std::uint8_t[]> buffer_;
    std::vector<test::PacketBytes> pending_;
    Coalescer coalescer_;
};

struct Scenario {
    bool is_v6;
    bool is_udp;
    bool merges;
};

void stop(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

bool has_ended(pid_t child, int& status) { return ::waitpid(child, &status, WNOHANG) == child; }

int transfer(const Scenario& scenario) {
    std::printf("%s over IPv%d, %s\n", scenario.is_udp ? "UDP" : "TCP", scenario.is_v6 ? 6 : 4,
                scenario.merges ? "merged again" : "written apart");
    bool has_uso = false;
    const auto b = make_side(2, has_uso);
    int ready[2];
    if (::pipe(ready) != 0) fail("pipe");
    const pid_t receiver = start([&scenario, &ready] {
        return scenario.is_udp ? receive_udp(scenario.is_v6, ready[1])
                               : receive_tcp(scenario.is_v6, ready[1]);
    });
    char byte = 0;
    ::close(ready[1]);
    if (::read(ready[0], &byte, 1) != 1) fail("the receiver did not start");
    ::close(ready[0]);
    const auto a = make_side(1, has_uso);
    const pid_t sender = start([&scenario] {
        return scenario.is_udp ? send_udp(scenario.is_v6) : send_tcp(scenario.is_v6);
    });

    Wire there(a.get(), b.get(), scenario.merges);
    Wire back(b.get(), a.get(), scenario.merges);
    int receiver_status = -1;
    int sender_status = -1;
    bool is_receiving = true;
    bool is_sending = true;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds_at_most);
    while ((is_receiving || is_sending) && std::chrono::steady_clock::now() < end) {
        const bool moved = there.move();
        if (back.move() || moved) continue;
        pollfd both[] = {{a.get(), POLLIN, 0}, {b.get(), POLLIN, 0}};
        ::poll(both, 2, 20);
        if (is_receiving) is_receiving = !has_ended(receiver, receiver_status);
        if (is_sending) is_sending = !has_ended(sender, sender_status);
    }
    if (is_receiving) stop(receiver);
    if (is_sending) stop(sender);
    std::printf("  %ld reads, %ld packets, %ld writes; back %ld, %ld, %ld\n", there.reads,
                there.packets, there.writes, back.reads, back.packets, back.writes);
    bool is_good = receiver_status == 0 && sender_status == 0 && there.errors + back.errors == 0;
    // Large packets must have been read and, merged, written: else nothing was tested.
    if (!scenario.is_udp || has_uso) is_good &= there.reads * 5 < there.packets;
    if (scenario.merges)
        is_good &= there.writes * 5 < there.packets;
    else
        is_good &= there.writes == there.packets;
    if (!is_good) std::printf("  FAILED (%d, %d)\n", receiver_status, sender_status);
    return is_good ? 0 : 1;
}

} // namespace

int main() {
    stream();
    int failures = 0;
    for (const bool is_udp : {false, true}) {
        for (const bool is_v6 : {false, true}) {
            for (const bool merges : {false, true}) {
                // A process for each, so that its namespaces end with it.
                const Scenario scenario{is_v6, is_udp, merges};
                std::fflush(stdout);
                const pid_t child = ::fork();
                if (child < 0) fail("fork");
                if (child == 0) std::exit(transfer(scenario));
                int status = 0;
                ::waitpid(child, &status, 0);
                if (WIFEXITED(status) && WEXITSTATUS(status) == skipped) return skipped;
                failures += status == 0 ? 0 : 1;
            }
        }
    }
    return failures == 0 ? 0 : 1;
}
