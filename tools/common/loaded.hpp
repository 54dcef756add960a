#pragma once

#include <string_view>

#include "wgkit/result.hpp"

namespace wgkit::tool {

/// A symbol of a library that is loaded now, and found as the linked ones are: by the program's own
/// search path. What a program rarely needs comes so, because loading takes most of the time of a
/// short run. `purpose`: what cannot be done without it. Errors: not_found.
Result<void*> load_symbol(const char* library, const char* symbol, std::string_view purpose);

} // namespace wgkit::tool
