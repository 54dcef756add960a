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

/// Reads the file of NAME, or at a path. What is wrong with it is printed, and is nothing then; a
/// file that everybody can read is warned of.
std::optional<LoadedFile> load_interface(const std::string& name_or_path, const Report& report);

} // namespace wgkit::tool::net
