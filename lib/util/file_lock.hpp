#pragma once

#include <sys/types.h>

#include <string>

#include "util/unique_fd.hpp"
#include "wgkit/result.hpp"

namespace wgkit {

enum class Waiting { yes, no };

/// Takes the lock of an open file or folder (flock): others that ask for it wait, or are refused,
/// until every copy of the descriptor is closed. True if it is held; false without waiting, if
/// somebody else has it. Errors: system, with `path`.
Result<bool> take_lock(const UniqueFd& file, const std::string& path, Waiting waiting);

/// Opens a file that is only a lock, made if it is not there, and takes it; it ends with what is
/// returned. Errors: conflict (somebody else has it), not_found (its folder), permission, system.
Result<UniqueFd> lock_file(const std::string& path, Waiting waiting, mode_t mode = 0600);

/// The lock of something that is there: a folder, or a file that is read. Errors: as `lock_file`.
Result<UniqueFd> lock_existing(const std::string& path, Waiting waiting);

} // namespace wgkit
