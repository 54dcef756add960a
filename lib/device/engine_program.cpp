#include "device/engine_program.hpp"

#include <cstdlib>

#include "util/own_program.hpp"

namespace wgkit {

std::string engine_program() {
    if (const char* own = std::getenv("WG_QUICK_USERSPACE_IMPLEMENTATION"); own && *own) return own;
    return own_program("wgkit-tunnel");
}

} // namespace wgkit
