#include "engine/icmp.hpp"

#include <algorithm>

#include "engine/checksum.hpp"
#include "engine/packet.hpp"

namespace wgkit::engine {

namespace {

constexpr std::uint8_t time_to_live = 64;

// 224.0.0.0/4 and 255.255.255.255 are nobody's address; 0.0.0.0 is no sender.
bool is_answerable_v4(Bytes packet) {
    const std::uint8_t* source = packet.data() + 12;
    const std::uint8_t* destination = packet.data() + 16;
    const bool later_fragment = ((packet[6] & 0x1f) | packet[7]) != 0;
    return !later_fragment && destination[0] < 224 && source[0] != 0 && source[0] < 224;
}

// ICMP messages other than echo and timestamp requests are errors or answers themselves.
bool is_icmp_v4_request(Bytes packet) {
    const std::size_t header = ipv4_header_length(packet.data());
    if (packet[9] != 1) return true;
    return packet.size() > header && (packet[header] == 8 || packet[header] == 13);
}

std::optional<IcmpError> unreachable_v4(Bytes packet) {
    constexpr std::size_t ip = 20;
    constexpr std::size_t icmp = 8;
    constexpr std::size_t most = 576; // RFC 1812 section 4.3.2.3
    if (!is_answerable_v4(packet) || !is_icmp_v4_request(packet)) return std::nullopt;
    IcmpError error;
    const std::size_t quoted = std::min(packet.size(), most - ip - icmp);
    error.size = ip + icmp + quoted;
    std::uint8_t* p = error.bytes.data();
    std::fill_n(p, ip + icmp, std::uint8_t{0});
    p[0] = 0x45;
    store_be16(p + 2, error.size);
    p[8] = time_to_live;
    p[9] = 1;                                    // ICMP
    std::copy_n(packet.begin() + 16, 4, p + 12); // from its destination
    std::copy_n(packet.begin() + 12, 4, p + 16); // to its source
    store_be16(p + 10, internet_checksum({p, ip}));
    p[ip] = 3;     // destination unreachable
    p[ip + 1] = 1; // host
    std::copy_n(packet.begin(), quoted, p + ip + icmp);
    store_be16(p + ip + 2, internet_checksum({p + ip, icmp + quoted}));
    return error;
}

std::optional<IcmpError> unreachable_v6(Bytes packet) {
    constexpr std::size_t ip = 40;
    constexpr std::size_t icmp = 8;
    constexpr std::uint8_t icmp_v6 = 58;
    constexpr std::uint8_t multicast = 0xff;
    const bool is_error = packet[6] == icmp_v6 && (packet.size() <= ip || packet[ip] < 128);
    const bool from_nobody = std::all_of(packet.begin() + 8, packet.begin() + 24,
                                         [](std::uint8_t byte) { return byte == 0; });
    if (is_error || from_nobody || packet[8] == multicast || packet[24] == multicast)
        return std::nullopt;
    IcmpError error;
    const std::size_t quoted = std::min(packet.size(), error.bytes.size() - ip - icmp);
    error.size = ip + icmp + quoted;
    std::uint8_t* p = error.bytes.data();
    std::fill_n(p, ip + icmp, std::uint8_t{0});
    p[0] = 0x60;
    store_be16(p + 4, icmp + quoted);
    p[6] = icmp_v6;
    p[7] = time_to_live;
    std::copy_n(packet.begin() + 24, 16, p + 8);
    std::copy_n(packet.begin() + 8, 16, p + 24);
    p[ip] = 1;     // destination unreachable
    p[ip + 1] = 3; // address
    std::copy_n(packet.begin(), quoted, p + ip + icmp);
    store_be16(p + ip + 2, transport_checksum({p, error.size}, ip, icmp_v6));
    return error;
}

} // namespace

std::optional<IcmpError> unreachable(Bytes packet) {
    if (!inner_length(packet)) return std::nullopt;
    return packet[0] >> 4 == 4 ? unreachable_v4(packet) : unreachable_v6(packet);
}

} // namespace wgkit::engine
