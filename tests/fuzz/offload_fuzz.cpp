// Any virtio header before any bytes gives packets that are whole and lie within them, or a
// refusal; any stream of packets is the same after merging and splitting.
#include <cstdlib>
#include <memory>

#include "support/offload.hpp"
#include "support/packet_stream.hpp"

using namespace wgkit::engine;
using namespace wgkit::test;

namespace {

void split_anything(std::span<const std::uint8_t> input) {
    constexpr std::size_t spare = 15;
    virtio_net_hdr header{};
    if (input.size() < sizeof header) return;
    std::memcpy(&header, input.data(), sizeof header);
    const auto bytes = input.subspan(sizeof header);
    // As large as it must be and no more, so that the address sanitizer sees every step outside.
    const auto buffer = std::make_unique<std::uint8_t[]>(bytes.size() + spare);
    std::copy(bytes.begin(), bytes.end(), buffer.get());
    const std::uint8_t* end = buffer.get() + bytes.size();

    auto segmenter = Segmenter::start(header, {buffer.get(), bytes.size()});
    if (!segmenter) return;
    const std::size_t count = segmenter->segment_count();
    const auto destination = segmenter->destination();
    for (std::size_t i = 0; i < count; ++i) {
        const auto segment = segmenter->next();
        if (segment.empty() || segment.data() < buffer.get()
            || segment.data() + segment.size() > end)
            std::abort();
        if (inner_length(segment) != segment.size() || destination_of(segment) != destination)
            std::abort();
        if (i + 1 != count && segment.size() != segmenter->segment_size()) std::abort();
        std::memset(segment.data(), 0xee, segment.size());
    }
    if (!segmenter->next().empty()) std::abort();
}

void merge_and_split(std::span<const std::uint8_t> input) {
    Drawer drawer(input);
    CoalescerOptions options;
    const std::uint8_t switches = drawer.byte();
    options.tcp4 = (switches & 1) == 0;
    options.tcp6 = (switches & 2) == 0;
    options.udp = (switches & 4) == 0;
    options.verify_checksums = (switches & 8) != 0;
    if (!broken_round_trip(draw_packets(drawer, 80), options, false).empty()) std::abort();
}

/// Bytes as they are, each after its length: most are no packets at all.
void merge_anything(std::span<const std::uint8_t> input) {
    std::vector<PacketBytes> packets;
    while (input.size() > 1) {
        const std::size_t size = std::min<std::size_t>(input[0], input.size() - 1);
        packets.emplace_back(input.begin() + 1, input.begin() + 1 + static_cast<int>(size));
        input = input.subspan(1 + size);
    }
    for (const auto& whole : merge(packets))
        if (whole.segments == 1 && broken_rule(whole) != "") std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::span<const std::uint8_t> input(data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        split_anything(input);
        break;
    case 1:
        merge_and_split(input);
        break;
    default:
        merge_anything(input);
        break;
    }
    return 0;
}
