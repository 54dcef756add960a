#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace wgkit {

/// The number of a process's namespace, e.g. namespace_of("net", "1"); 0 if it cannot be told.
inline std::uint64_t namespace_of(const std::string& kind, const std::string& process = "self") {
    struct stat space {};
    return ::stat(("/proc/" + process + "/ns/" + kind).c_str(), &space) == 0 ? space.st_ino : 0;
}

/// The interface's name; in another network namespace than process 1's with its number, as
/// interfaces of one name are different ones there: `wg0@4026532281`.
inline std::string name_across_namespaces(const std::string& interface) {
    const auto own = namespace_of("net");
    const auto first = namespace_of("net", "1");
    return own == first || first == 0 ? interface : interface + "@" + std::to_string(own);
}

} // namespace wgkit
