#pragma once

#include <chrono>
#include <string>

#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

namespace wgkit::tool::fleet {

/// For packing it, and for bringing it to a node and installing it there.
inline constexpr std::chrono::seconds package_patience{600};

/// wgkit as it goes to a node: `content` is the standard input of `command`, a script for sh, which
/// ends its output with the version that it has installed.
struct Package {
    std::string command;
    SecretString content;
};

/// From a .deb, or a folder. Errors: invalid (neither), not_found, permission, system.
Result<Package> load_package(const std::string& from);

} // namespace wgkit::tool::fleet
