#include "engine/checksum.hpp"

#include <bit>

namespace wgkit::engine {

namespace {

// Words are summed as they lie in memory: a sum of swapped words is the swapped sum (RFC 1071
// section 2 B). Four bytes at a time into 64-bit lanes, which cannot overflow below 2^32 words.
constexpr std::size_t block = 64;
using Lanes2 = std::uint64_t __attribute__((vector_size(16)));
using Lanes4 = std::uint64_t __attribute__((vector_size(32)));
using Lanes8 = std::uint64_t __attribute__((vector_size(64)));

/// Sums whole blocks in registers of one width. Written once and compiled for each processor
/// with its own width: g++ 12 splits wider ones badly.
template <typename Lanes>
[[gnu::always_inline]] inline std::uint64_t sum_blocks(const std::uint8_t* p, std::size_t blocks) {
    Lanes low = {};
    Lanes high = {};
    for (const std::uint8_t* end = p + blocks * block; p != end; p += sizeof(Lanes)) {
        Lanes lanes;
        std::memcpy(&lanes, p, sizeof lanes);
        low += lanes & 0xffffffff;
        high += lanes >> 32;
    }
    low += high;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < sizeof low / sizeof sum; ++i) sum += low[i];
    return sum;
}

using SumBlocks = std::uint64_t (*)(const std::uint8_t*, std::size_t);

std::uint64_t sum_baseline(const std::uint8_t* p, std::size_t blocks) {
    return sum_blocks<Lanes2>(p, blocks);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) std::uint64_t sum_avx2(const std::uint8_t* p, std::size_t blocks) {
    return sum_blocks<Lanes4>(p, blocks);
}

__attribute__((target("avx512f,avx512bw,avx512vl"))) std::uint64_t sum_avx512(const std::uint8_t* p,
                                                                              std::size_t blocks) {
    return sum_blocks<Lanes8>(p, blocks);
}

SumBlocks choose() {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl"))
        return sum_avx512;
    return __builtin_cpu_supports("avx2") ? sum_avx2 : sum_baseline;
}
#else
SumBlocks choose() { return sum_baseline; }
#endif

const SumBlocks best_sum_blocks = choose();

template <typename Number>
std::uint64_t take(const std::uint8_t*& p) {
    Number value = 0;
    std::memcpy(&value, p, sizeof value);
    p += sizeof value;
    return value;
}

} // namespace

std::uint32_t checksum_sum(Bytes bytes) {
    const std::uint8_t* p = bytes.data();
    std::size_t left = bytes.size();
    std::uint64_t sum = 0;
    if (left >= block) {
        sum = best_sum_blocks(p, left / block);
        p += left / block * block;
        left %= block;
    }
    for (; left >= 4; left -= 4) sum += take<std::uint32_t>(p);
    if (left >= 2) sum += take<std::uint16_t>(p);
    if (left % 2 != 0)
        sum +=
            std::endian::native == std::endian::little ? std::uint64_t{*p} : std::uint64_t{*p} << 8;
    const std::uint16_t folded = fold(sum);
    return std::endian::native == std::endian::little ? __builtin_bswap16(folded) : folded;
}

std::uint32_t pseudo_header_sum(Bytes packet, std::uint8_t protocol, std::size_t length) {
    const Bytes addresses =
        is_ipv4(packet) ? packet.subspan(ipv4::source, 8) : packet.subspan(ipv6::source, 32);
    return checksum_sum(addresses) + protocol + static_cast<std::uint32_t>(length);
}

std::uint16_t transport_checksum(Bytes packet, std::size_t offset, std::uint8_t protocol) {
    const Bytes transport = packet.subspan(offset);
    const std::uint64_t sum = std::uint64_t{checksum_sum(transport)}
                              + pseudo_header_sum(packet, protocol, transport.size());
    return static_cast<std::uint16_t>(~fold(sum));
}

} // namespace wgkit::engine
