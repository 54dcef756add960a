#pragma once

#include <string>
#include <string_view>

#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// Signatures of webhooks, by libsodium's HMAC-SHA-256.
namespace wgkit::alert {

/// Standard Webhooks 1.0.0: `v1,` and base64 of the HMAC over `id.timestamp.body`. The key is
/// `whsec_` and base64 of 24 to 64 bytes. Errors: invalid (the key; it is not quoted).
Result<std::string> standard_signature(std::string_view key, std::string_view id,
                                       std::string_view timestamp, std::string_view body);

/// X-Hub-Signature-256: `sha256=` and hexadecimal of the HMAC over the body.
std::string hub_signature(std::string_view key, std::string_view body);

} // namespace wgkit::alert
