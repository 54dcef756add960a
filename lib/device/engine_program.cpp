#include "device/engine_program.hpp"

#include <cstdlib>

#include "device/command.hpp"
#include "util/own_program.hpp"

namespace wgkit {

std::string engine_program() {
    if (const char* own = std::getenv("WG_QUICK_USERSPACE_IMPLEMENTATION"); own && *own) return own;
    const auto places = places_of("wgkit-tunnel");
    for (const auto& place : places)
        if (has_program(place)) return place;
    return places.back();
}

} // namespace wgkit
