#pragma once

#include <string_view>

#include "wgkit/ip.hpp"
#include "wgkit/result.hpp"

namespace wgkit::config {

/// Spellings that wg takes and other readers of the same file may not.
enum class Oddity { none, bare_ipv6, bracketed_name, legacy_ipv4 };

struct ReadEndpoint {
    Endpoint endpoint; ///< addresses in canonical form
    Oddity oddity = Oddity::none;
};

/// Reads every form that wg takes without asking a resolver. Wider than Endpoint::parse, which is
/// for files that wgkit alone reads.
Result<ReadEndpoint> parse_endpoint(std::string_view text);

} // namespace wgkit::config
