#pragma once

// Streams of packets that are drawn from bytes, which a fuzzer or a random generator gives.
#include "support/packets.hpp"

namespace wgkit::test {

/// Reads numbers until the bytes are used up; then zeros.
class Drawer {
  public:
    explicit Drawer(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    bool is_empty() const { return bytes_.empty(); }
    std::uint8_t byte() {
        if (bytes_.empty()) return 0;
        const std::uint8_t value = bytes_[0];
        bytes_ = bytes_.subspan(1);
        return value;
    }
    /// One time in `of`.
    bool once_in(unsigned of) { return byte() % of == of - 1; }

  private:
    std::span<const std::uint8_t> bytes_;
};

/// Several flows, one for each pair of addresses, mostly of what can be merged and now and then of
/// what cannot.
inline std::vector<PacketBytes> draw_packets(Drawer& drawer, std::size_t most) {
    constexpr std::uint8_t flows = 7;
    std::vector<PacketSpec> specs(flows);
    for (std::uint8_t i = 0; i < flows; ++i) {
        auto& spec = specs[i];
        const std::uint8_t kind = drawer.byte();
        spec.host = static_cast<std::uint8_t>(i + 1);
        spec.is_v6 = (kind & 1) != 0;
        spec.is_udp = (kind & 2) != 0;
        spec.dont_fragment = (kind & 4) != 0;
        spec.has_checksum = spec.is_v6 || (kind & 0x18) != 0x18;
        if ((kind & 0x20) != 0) spec.tcp_options = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
        spec.tos = kind >> 6;
        spec.sequence = 0xfffff000;
        spec.id = 0xfff0;
    }
    std::vector<PacketBytes> packets;
    std::uint8_t flow = 0;
    std::size_t size = 100;
    while (packets.size() < most && !drawer.is_empty()) {
        // Runs of one flow and one size, as real traffic has them.
        if (drawer.once_in(5)) flow = drawer.byte() % flows;
        if (drawer.once_in(9)) size = drawer.byte() * 6U;
        PacketSpec& spec = specs[flow];
        PacketSpec one = spec;
        one.payload = make_payload(size, static_cast<std::uint32_t>(packets.size()));
        if (drawer.once_in(12)) {
            one.payload.resize(size - size / 3);
            const std::uint8_t what = drawer.byte();
            if (what % 16 == 0) one.flags |= 1;
            if (what % 16 == 1 || what % 16 == 2) one.flags |= 8;
            if (what % 16 == 3) one.flags |= 0x80;
            if (what % 16 == 4) one.flags ^= 0x40;
            if (what % 16 == 5) one.flags |= 2;
            if (what % 16 == 6) one.tos ^= 3;
            if (what % 16 == 7) --one.ttl;
            if (what % 16 == 8) one.window += what;
            if (what % 16 == 9) ++one.acknowledgment;
            if (what % 16 == 10) one.ip_options = {1, 1, 1, 0};
            if (what % 16 == 11) one.flow_label = what;
            if (what % 16 == 12) one.id += what;
            if (what % 16 == 13) one.sequence += what;
            if (what % 16 == 14) one.payload.clear();
            if (what % 16 == 15) ++one.urgent;
        }
        packets.push_back(make_packet(one));
        if (!one.is_v6 && drawer.once_in(40)) { // a fragment
            packets.back()[6] ^= 0x20;
            complete(packets.back(), one.has_checksum || !one.is_udp);
        }
        spec.sequence = one.sequence + static_cast<std::uint32_t>(one.payload.size());
        // Fixed ids, too.
        if (!spec.dont_fragment || flow % 2 == 0) spec.id = static_cast<std::uint16_t>(one.id + 1);
    }
    return packets;
}

} // namespace wgkit::test
