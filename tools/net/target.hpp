#pragma once

#include <optional>
#include <string>

#include "common/app.hpp"
#include "wgkit/config.hpp"

namespace wgkit::tool::net {

/// A configuration file and the interface that it is for.
struct Target {
    std::string interface;
    std::string path; ///< absolute
    SecretString text;
    wgkit::config::Config config;
};

/// `word` is a file, or an interface whose file is /etc/wireguard/INTERFACE.conf. The interface is
/// named as the file is, or by `interface` if that is not empty.
/// What is wrong is printed, with lines and columns; then the result is empty.
std::optional<Target> load_target(const std::string& word, const std::string& interface,
                                  bool allow_open, const Report& report);

} // namespace wgkit::tool::net
