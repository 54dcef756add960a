#pragma once

#include <string_view>

#include "config/key.hpp"
#include "config/line.hpp"
#include "wgkit/config.hpp"

namespace wgkit::config {

/// A line `Key = value` whose key may stand where it does.
struct Field {
    const KeyInfo& key;
    const Line& line;
    std::string_view value; ///< not empty
    Comments comments;
};

/// Reads the value into the section, with its origin. What is wrong goes to `diagnostics`.
void read_field(Field field, Interface& interface, Diagnostics& diagnostics);
void read_field(Field field, Peer& peer, Diagnostics& diagnostics);

} // namespace wgkit::config
