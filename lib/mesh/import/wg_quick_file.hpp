#pragma once

#include <optional>
#include <string>

#include "wgkit/config.hpp"
#include "wgkit/mesh_import.hpp"

namespace wgkit::mesh {

/// A file that was read, and whose it is: by the header that wgkit writes, else by its path.
struct WgQuickFile {
    std::string path;
    std::string network;
    std::string name;
    std::string interface = "wg0";
    bool by_wgkit = false;
    config::Config config;
    std::optional<PublicKey> key{}; ///< known although the private key is not in the file
    Ssh ssh{};
};

/// Reads one file; `network` is for files that do not name theirs.
/// Errors: invalid with file:line:col.
Result<WgQuickFile> read_wg_quick(const ImportFile& file, const std::string& network);

} // namespace wgkit::mesh
