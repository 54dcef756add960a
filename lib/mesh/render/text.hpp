#pragma once

#include <string_view>

#include "wgkit/secret.hpp"

namespace wgkit::mesh {

/// `KEY=VALUE`, as systemd and NetworkManager write it.
inline void append_pair(SecretString& text, std::string_view key, std::string_view value) {
    text += key;
    text += '=';
    text += value;
    text += '\n';
}

/// What one peer takes at most: growing would copy and wipe everything written so far.
inline constexpr std::size_t room_for_peer = 400;
inline constexpr std::size_t room_for_interface = 2048;

} // namespace wgkit::mesh
