#include "engine/address_bits.hpp"

#include <algorithm>
#include <array>

#include "engine/packet.hpp"

namespace wgkit::engine {

namespace {

constexpr std::uint64_t mask(unsigned length) {
    return length == 0 ? 0 : ~std::uint64_t{0} << (64 - length);
}

} // namespace

AddressBits AddressBits::from(const std::uint8_t* bytes, Family family) {
    if (family == Family::ipv4) return {std::uint64_t{load_be32(bytes)} << 32, 0};
    return {load_be64(bytes), load_be64(bytes + 8)};
}

AddressBits AddressBits::first(unsigned length) const {
    return {high & mask(std::min(length, 64U)), length > 64 ? low & mask(length - 64) : 0};
}

IpAddress AddressBits::to_ip(Family family) const {
    std::array<std::uint8_t, 16> bytes{};
    for (unsigned i = 0; i < 8; ++i) {
        bytes[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
        bytes[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
    }
    return IpAddress::from_bytes(family, {bytes.data(), family == Family::ipv4 ? 4U : 16U});
}

} // namespace wgkit::engine
