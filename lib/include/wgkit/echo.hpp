#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/result.hpp"

namespace wgkit {

/// How to ask.
struct EchoOptions {
    std::string interface = {}; ///< only through it; empty: as the routes say
    unsigned tries = 1;         ///< evenly over the time, for those that have not answered
};

/// Asks each address for an echo (ICMP, RFC 792 and 4443), all at once, and waits until all have
/// answered or `patience` is over. Returns the round trip to each; nothing for those without
/// answer. Errors: permission, system.
WGKIT_API Result<std::vector<std::optional<std::chrono::microseconds>>>
echo(std::span<const IpAddress> addresses, std::chrono::milliseconds patience,
     const EchoOptions& options = {});

} // namespace wgkit
