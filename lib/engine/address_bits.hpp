#pragma once

#include <bit>
#include <cstdint>

#include "wgkit/ip.hpp"

namespace wgkit::engine {

/// Address bits in order, most significant first; IPv4 uses the first 32.
struct AddressBits {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    /// Shape: 4 or 16 bytes in network order.
    static AddressBits from(const std::uint8_t* bytes, Family family);
    static AddressBits of(const IpAddress& address) {
        return from(address.bytes().data(), address.family());
    }
    unsigned bit(unsigned i) const {
        return static_cast<unsigned>((i < 64 ? high >> (63 - i) : low >> (127 - i)) & 1U);
    }
    /// How many bits both have in common from the start.
    unsigned common(const AddressBits& other) const {
        const std::uint64_t differing = high ^ other.high;
        return static_cast<unsigned>(differing != 0 ? std::countl_zero(differing)
                                                    : 64 + std::countl_zero(low ^ other.low));
    }
    /// The rest cleared.
    AddressBits first(unsigned length) const;
    IpAddress to_ip(Family family) const;

    bool operator==(const AddressBits&) const = default;
};

} // namespace wgkit::engine
