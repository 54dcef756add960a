#pragma once

#include "wgkit/config.hpp"
#include "wgkit/secret.hpp"

namespace wgkit::config {

/// What the request does with the keys that the file leaves out: `replace` resets them, as
/// `wg setconf`; `append` leaves them alone, as `wg addconf`.
enum class Apply { append, replace };

/// The `set` request of the cross-platform userspace protocol that tells a device the config, up to
/// and with its empty last line; the same text that wg sends. Endpoints are passed on as they are:
/// names must have been looked up before.
/// Source: wireguard.com/xplatform.
SecretString to_uapi(const Config& config, Apply apply);

} // namespace wgkit::config
