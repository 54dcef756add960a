#pragma once

#include <bit>
#include <cstdint>

#include "wgkit/ip.hpp"

namespace wgkit::engine {

/// Address bits in order, most significant first; IPv4 uses the first 32.
struct AddressBits {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    bool operator==(const AddressBits&) const = default;
};

} // namespace wgkit::engine
