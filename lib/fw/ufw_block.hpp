#pragma once

#include <string>
#include <string_view>

#include "wgkit/result.hpp"

/// What before.rules and before6.rules of ufw hold of ours, between two lines of comment. Pure.
namespace wgkit::fw {

/// The lines between the two: `chains` (of `chains_text`) with the ways as ufw's own chains get
/// them, first in line whenever ufw starts.
std::string ufw_block(std::string_view chains);

/// Our lines in a file; empty if there are none. Errors: invalid (a beginning without an end).
Result<std::string> read_ufw_block(std::string_view file, const std::string& interface);

/// The file with `block` as our lines, at its end; without them if `block` is empty.
/// Errors: as above.
Result<std::string> with_ufw_block(std::string_view file, const std::string& interface,
                                   std::string_view block);

} // namespace wgkit::fw
