#pragma once

#include <cstdint>
#include <string>

#include "wgkit/result.hpp"

namespace wgkit {

/// The number of a routing table that is given as a number or by a name of rt_tables, as
/// ip-route(8) reads it. Errors: not_found.
Result<std::uint32_t> routing_table(const std::string& text);

} // namespace wgkit
