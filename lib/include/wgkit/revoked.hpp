#pragma once

#include <string>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

namespace wgkit {

inline constexpr const char* revoked_keys_path = "/etc/wgkit/revoked";

/// The public keys that nothing may bring back, e.g. those of a stolen laptop: one in base64 on
/// each line; what follows a `#` is a comment. In ascending order; none if there is no such file.
/// Errors: invalid (path:line), permission, system.
WGKIT_API Result<std::vector<PublicKey>>
read_revoked_keys(const std::string& path = revoked_keys_path);

} // namespace wgkit
