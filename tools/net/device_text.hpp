#pragma once

#include <cstdint>

#include "wgkit/device.hpp"

/// A device as people read it.
namespace wgkit::tool::net {

struct TextStyle {
    std::int64_t now = 0; ///< seconds since 1970
    bool show_secrets = false;
    bool colour = false;
};

/// All that `wg show` tells, with a count of peers by state in front; the peers that were heard
/// last come first, those never heard last.
void add_text(SecretString& text, const Device& device, const TextStyle& style);

} // namespace wgkit::tool::net
