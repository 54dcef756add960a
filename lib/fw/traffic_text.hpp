#pragma once

#include <string_view>
#include <vector>

#include "wgkit/result.hpp"
#include "wgkit/traffic.hpp"

namespace wgkit::fw {

/// Reads what policies and `--allow` take: ports and ranges with commas between them, then
/// `/tcp`, `/udp` or `/sctp` ("80,443/tcp"); without a protocol both TCP and UDP; a protocol alone
/// ("icmp", which means ICMPv6 too, "gre", "proto:89"); or "any".
/// Errors: invalid, without a place.
Result<std::vector<Traffic>> parse_traffic(std::string_view text);

/// The number of a protocol by its name.
std::optional<std::uint8_t> protocol_number(std::string_view name);

} // namespace wgkit::fw
