#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "wgkit/export.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

/// Files as the programs need them: whole reads with a limit, and writes after which there is
/// either all of the old content or all of the new.
namespace wgkit::files {

/// Files above this size are refused: no config or inventory comes near it. Units: bytes.
inline constexpr std::size_t max_input_bytes = std::size_t{64} << 20;

/// Reads a whole file; "-" is standard input. The buffer is wiped when it dies.
/// Errors: not_found, permission, system; invalid above max_input_bytes.
WGKIT_API Result<SecretString> read(const std::string& path);

/// As `read`, for a file that holds a secret: refused with Errc::permission when group or others
/// may access it, unless `allow_open`. Standard input is not checked.
WGKIT_API Result<SecretString> read_secret(const std::string& path, bool allow_open = false);

/// Creates a file that must not exist yet, whole or not at all, durable on return.
/// Errors: exists, permission, not_found (no such folder), system (e.g. disk full).
WGKIT_API Result<void> create(const std::string& path, std::string_view content, mode_t mode);

/// Replaces or creates a file: temporary file in the same folder, fsync, rename, fsync of the
/// folder. A symbolic link is replaced, not followed.
WGKIT_API Result<void> replace(const std::string& path, std::string_view content, mode_t mode);

/// Takes a text piece by piece.
using Sink = std::function<void(std::string_view piece)>;
/// Makes a text piece by piece, so that a large one is never in memory whole.
using Producer = std::function<void(const Sink& to)>;

/// As above, for a text that is made while it is written.
WGKIT_API Result<void> replace(const std::string& path, const Producer& content, mode_t mode);

/// Permission bits of a file; 0644 if it is not there.
WGKIT_API mode_t mode_of(const std::string& path);

/// Makes a folder and its parents; a folder that is there keeps its mode.
WGKIT_API Result<void> make_folders(const std::string& path, mode_t mode);

} // namespace wgkit::files
