#pragma once

#include "wgkit/secret.hpp"

namespace wgkit::tool {

/// Prints unbuffered, so that no copy of a secret stays behind in a buffer that nobody wipes.
void print(const SecretString& text);

} // namespace wgkit::tool
