#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wgkit/inventory.hpp"
#include "wgkit/result.hpp"

namespace wgkit::mesh {

/// One file of the output folder as it was last written.
struct ManifestEntry {
    std::string path; ///< relative to the output folder
    std::string hash; ///< SHA-256, hexadecimal
    mode_t mode = 0;
    std::uint64_t size = 0;
    std::int64_t modified = 0; ///< Units: nanoseconds since 1970

    bool operator==(const ManifestEntry&) const = default;
};

/// out/.wgkit/manifest: what a render wrote, in full. It is written last, so a folder whose files
/// do not match it holds an unfinished run.
struct Manifest {
    /// Version of wgkit and a hash of the inputs that this output is the whole result of; empty
    /// after a render of some nodes only.
    std::string origin;
    std::vector<ManifestEntry> entries; ///< sorted by path

    const ManifestEntry* find(const std::string& path) const;
};

/// Manifest::origin of a render of these texts by this version of wgkit.
std::string origin_of(const std::string& nodes, const std::string& lock,
                      std::optional<Format> format);
/// The part of an origin that names wgkit's version and the format asked for.
std::string_view renderer_of(std::string_view origin);

std::string to_text(const Manifest& manifest);
/// Errors: Errc::invalid with file:line:col.
Result<Manifest> parse_manifest(std::string_view text, const std::string& file);

} // namespace wgkit::mesh
