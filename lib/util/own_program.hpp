#pragma once

#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

namespace wgkit {

/// Where a program that comes with wgkit may be: beside this one, in libexec, then in PATH.
inline std::array<std::string, 3> places_of(const std::string& program) {
    std::array<char, 4096> path{};
    const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
    const std::string_view self(path.data(), n < 0 ? 0 : static_cast<std::size_t>(n));
    const std::string here(self.substr(0, self.rfind('/') + 1));
    return {here + program, here + "../libexec/wgkit/" + program, program};
}

/// The first of these places that has it; else its name, for PATH.
inline std::string own_program(const std::string& program) {
    const auto places = places_of(program);
    for (const auto& place : {places[0], places[1]})
        if (::access(place.c_str(), X_OK) == 0) return place;
    return program;
}

} // namespace wgkit
