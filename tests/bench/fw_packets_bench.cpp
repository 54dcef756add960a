// wgkit_fw_packets_bench FD SOURCE DESTINATION COUNT: writes UDP packets, each of a flow of its
// own, to a packet socket that it inherits, and prints how many a second the other end has taken
// in. On one processor the receiving side's work, firewall and all, is done before the next batch.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr std::size_t batch = 64;
constexpr std::array<unsigned char, 14> ethernet{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0};
using Frame = std::array<unsigned char, 60>;

void put16(unsigned char* at, unsigned value) {
    at[0] = static_cast<unsigned char>(value >> 8U);
    at[1] = static_cast<unsigned char>(value);
}

Frame make_frame(const char* source, const char* destination) {
    Frame frame{};
    std::memcpy(frame.data(), ethernet.data(), ethernet.size());
    unsigned char* ip = frame.data() + ethernet.size();
    ip[0] = 0x45;
    put16(ip + 2, frame.size() - ethernet.size());
    ip[8] = 64;
    ip[9] = 17;
    inet_pton(AF_INET, source, ip + 12);
    inet_pton(AF_INET, destination, ip + 16);
    unsigned sum = 0;
    for (std::size_t i = 0; i < 20; i += 2) sum += ip[i] * 256U + ip[i + 1];
    sum = (sum & 0xFFFFU) + (sum >> 16U);
    put16(ip + 10, ~(sum + (sum >> 16U)) & 0xFFFFU);
    put16(ip + 24, frame.size() - ethernet.size() - 20); // UDP, without a checksum
    return frame;
}

int run(int fd, const Frame& first, std::uint32_t count) {
    std::vector<Frame> frames(batch, first);
    std::array<iovec, batch> parts{};
    std::array<mmsghdr, batch> messages{};
    for (std::size_t i = 0; i < batch; ++i) {
        parts[i] = {frames[i].data(), frames[i].size()};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    const auto start = std::chrono::steady_clock::now();
    for (std::uint32_t sent = 0; sent < count;) {
        for (std::uint32_t i = 0; i < batch; ++i) {
            unsigned char* udp = frames[i].data() + ethernet.size() + 20;
            put16(udp, 1024 + (sent + i) % 60000);
            put16(udp + 2, 20000 + (sent + i) / 60000);
        }
        const int taken = ::sendmmsg(fd, messages.data(), batch, 0);
        if (taken > 0) sent += static_cast<std::uint32_t>(taken);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    fmt::print("{:.0f}\n", count / took.count());
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 64;
    return run(std::atoi(argv[1]), make_frame(argv[2], argv[3]),
               static_cast<std::uint32_t>(std::atoi(argv[4])));
}
