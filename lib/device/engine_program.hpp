#pragma once

#include <string>

namespace wgkit {

/// The userspace engine to run: the one of WG_QUICK_USERSPACE_IMPLEMENTATION, else our own beside
/// this program, as it is installed, or in PATH.
std::string engine_program();

} // namespace wgkit
