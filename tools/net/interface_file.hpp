#pragma once

#include <optional>

#include "common/report.hpp"
#include "wgkit/interface.hpp"

namespace wgkit::tool::net {

/// The file of an interface, read and understood.
struct LoadedFile {
    InterfaceFile file;
    SecretString text;
    config::Config config;
};

struct LoadOptions {
    std::string interface; ///< its name, if the file is not named after it
    /// For a device that runs: refuses a file that others may read, or that may be cut off, as it
    /// would take peers away. Else the first is warned of only, as wg-quick does.
    bool strict = false;
    bool allow_open = false; ///< read a file that others may read
};

/// Reads the file of NAME, or at a path. What is wrong with it is printed, and is nothing then.
std::optional<LoadedFile> load_interface(const std::string& name_or_path, const Report& report,
                                         const LoadOptions& options = {});

} // namespace wgkit::tool::net
