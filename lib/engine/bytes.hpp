#pragma once

#include <cstdint>
#include <span>

namespace wgkit::engine {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

} // namespace wgkit::engine
