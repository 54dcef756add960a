#pragma once

#include <sys/types.h>

#include <span>
#include <string>

#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// Files that only make sense together, e.g. a private key and its public key.
namespace wgkit::files {

enum class Overwrite { no, yes };

/// One file of a set.
struct NewFile {
    std::string path;
    SecretString content;
    mode_t mode = 0600;
    /// A seal is taken away before any file of the set changes and comes back when all are in
    /// place: where a seal is found, the files beside it belong together, whenever a run was
    /// killed or the power failed.
    bool seal = false;
};

/// Writes files of one folder: all of them or, on any failure, none; what was there before is back
/// then. Everything that takes space is written to temporary files before the first name changes.
/// Runs on the same folder wait for each other. Temporary files that a killed run left for the same
/// names are removed on success; until then they keep what was about to be replaced.
/// Errors: exists (Overwrite::no), permission, not_found, system (e.g. disk full).
Result<void> write_set(const std::string& folder, std::span<const NewFile> set,
                       Overwrite overwrite);

} // namespace wgkit::files
