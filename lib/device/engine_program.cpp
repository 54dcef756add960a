#include "device/engine_program.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>

#include "device/command.hpp"

namespace wgkit {

std::string engine_program() {
    if (const char* own = std::getenv("WG_QUICK_USERSPACE_IMPLEMENTATION"); own && *own) return own;
    std::array<char, 4096> path{};
    const auto size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
    std::string here(path.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
    here.resize(here.rfind('/') + 1);
    for (const auto* beside : {"wgkit-tunnel", "../libexec/wgkit/wgkit-tunnel"})
        if (has_program(here + beside)) return here + beside;
    return "wgkit-tunnel";
}

} // namespace wgkit
