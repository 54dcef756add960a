// ns per segment of splitting and merging, each for a train of 46 segments of 1368 bytes, and of
// the checksum alone. Beside them a plain copy of the same bytes, as the measure of this machine.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "engine/checksum.hpp"
#include "support/offload.hpp"

using namespace wgkit::engine;
using namespace wgkit::test;

namespace {

constexpr std::size_t segments = 46;
constexpr std::size_t segment_payload = 1368;

void keep(const void* result) { asm volatile("" : : "r"(result) : "memory"); }

/// The best of several rounds: others use this machine, too.
template <typename Work>
double nanoseconds(std::size_t items, Work work) {
    using Clock = std::chrono::steady_clock;
    double best = 1e9;
    for (int round = 0; round < 50; ++round) {
        const auto begin = Clock::now();
        for (int i = 0; i < 200; ++i) work();
        const std::chrono::duration<double, std::nano> time = Clock::now() - begin;
        best = std::min(best, time.count() / 200 / static_cast<double>(items));
    }
    return best;
}

void report(const char* what, double time) { std::printf("%-42s %7.1f ns\n", what, time); }

void measure(const char* name, PacketSpec spec) {
    spec.payload = make_payload(segments * segment_payload);
    WholePacket super;
    super.bytes = make_packet(spec);
    const std::size_t transport = transport_offset(super.bytes);
    super.header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    super.header.gso_type = spec.is_udp  ? VIRTIO_NET_HDR_GSO_UDP_L4
                            : spec.is_v6 ? VIRTIO_NET_HDR_GSO_TCPV6
                                         : VIRTIO_NET_HDR_GSO_TCPV4;
    super.header.gso_size = segment_payload;
    super.header.csum_start = static_cast<std::uint16_t>(transport);
    super.header.csum_offset = spec.is_udp ? 6 : 16;
    auto packets = split(super);

    // Splitting spoils the headers only, so that the first ones are put back for the next turn.
    PacketBytes buffer = super.bytes;
    buffer.resize(buffer.size() + 15);
    char line[64];
    std::snprintf(line, sizeof line, "split %s, per segment", name);
    report(line, nanoseconds(segments, [&] {
               std::copy_n(super.bytes.begin(), 100, buffer.begin());
               auto segmenter =
                   Segmenter::start(super.header, std::span(buffer).first(super.bytes.size()));
               for (auto segment = segmenter->next(); !segment.empty(); segment = segmenter->next())
                   keep(segment.data());
           }));

    Coalescer coalescer;
    std::snprintf(line, sizeof line, "merge %s, per segment", name);
    report(line, nanoseconds(segments, [&] {
               for (auto& packet : packets) coalescer.add(packet);
               const auto merged = coalescer.finish();
               keep(merged.data());
               if (merged.size() != 1) std::puts("not merged!");
               coalescer.clear();
           }));
}

} // namespace

int main() {
    const auto bytes = make_payload(1420);
    PacketBytes copy(1420);
    report("copy of 1420 bytes", nanoseconds(100, [&] {
               for (int i = 0; i < 100; ++i) {
                   std::copy(bytes.begin(), bytes.end(), copy.begin());
                   keep(copy.data());
               }
           }));
    report("checksum of 1420 bytes", nanoseconds(100, [&] {
               for (int i = 0; i < 100; ++i) {
                   const auto sum = checksum_sum(bytes);
                   keep(&sum);
               }
           }));
    const PacketBytes timestamps = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
    measure("TCP over IPv4", {.tcp_options = timestamps});
    measure("TCP over IPv6", {.is_v6 = true, .tcp_options = timestamps});
    measure("UDP over IPv4", {.is_udp = true});
    measure("UDP over IPv6", {.is_v6 = true, .is_udp = true});

    auto acknowledgment = make_packet({.tcp_options = timestamps});
    Coalescer coalescer;
    report("merge: acknowledgments that stay single", nanoseconds(64, [&] {
               for (int i = 0; i < 64; ++i) coalescer.add(acknowledgment);
               keep(coalescer.finish().data());
               coalescer.clear();
           }));
    report("split: a single packet, nothing to do", nanoseconds(64, [&] {
               for (int i = 0; i < 64; ++i) {
                   auto segmenter = Segmenter::start({}, acknowledgment);
                   keep(segmenter->next().data());
               }
           }));
}
