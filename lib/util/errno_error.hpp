#pragma once

#include <string_view>

#include "wgkit/result.hpp"

namespace wgkit {

/// The Error for a system call that just failed: `what: No such file or directory`. Reads errno.
Error errno_error(std::string_view what);
Error errno_error(std::string_view what, int error_number);

} // namespace wgkit
