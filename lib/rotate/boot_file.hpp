#pragma once

#include <string>
#include <string_view>

#include "rotate/state.hpp"

/// The file that the interface is made from at the next boot.
namespace wgkit::rotate {

/// The text with the keys of `wanted` in place of those of `unwanted`, and not a byte else.
/// Repeating it changes nothing. Errors: invalid (the text has errors).
Result<SecretString> with_wanted_keys(std::string_view text, const State& state);

/// Replaces the file, and the key file that a hook of it names (`keys: node`), if they differ.
Result<void> write_boot_files(const State& state);

} // namespace wgkit::rotate
