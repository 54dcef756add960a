#include "engine/address_bits.hpp"

#include <algorithm>
#include <array>

namespace wgkit::engine {

namespace {

std::uint64_t load_be(const std::uint8_t* bytes, unsigned count) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) value = value << 8 | bytes[i];
    return value;
}

constexpr std::uint64_t mask(unsigned length) {
    return length == 0 ? 0 : ~std::uint64_t{0} << (64 - length);
}

} // namespace

AddressBits AddressBits::from(const std::uint8_t* bytes, Family family) {
    if (family == Family::ipv4) return {load_be(bytes, 4) << 32, 0};
    return {load_be(bytes, 8), load_be(bytes + 8, 8)};
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
