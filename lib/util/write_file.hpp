#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "util/unique_fd.hpp"
#include "wgkit/files.hpp"
#include "wgkit/result.hpp"

/// The steps that `files::create`, `files::replace` and the output tree are made of.
namespace wgkit::files {

enum class Sync { no, yes };

/// Writes all of `content`, through short writes and interruptions.
Result<void> write_all(int fd, std::string_view content, const std::string& path);

/// Writes a finished temporary file beside `path` and returns its name. Its content is never
/// visible to more people than `mode` allows. Nothing is left behind on failure.
Result<std::string> write_temporary(const std::string& path, const Producer& content, mode_t mode,
                                    Sync sync);

/// As above, for a text that is at hand.
Result<std::string> write_temporary(const std::string& path, std::string_view content, mode_t mode,
                                    Sync sync);

/// Temporary file and rename, without syncing the folder: for many files that share one sync.
Result<void> replace_unsynced(const std::string& path, const Producer& content, mode_t mode,
                              Sync sync);
Result<void> replace_unsynced(const std::string& path, std::string_view content, mode_t mode,
                              Sync sync);

/// As `replace_unsynced`, but the file must not exist yet. Errors: Errc::exists.
Result<void> create_unsynced(const std::string& path, std::string_view content, mode_t mode,
                             Sync sync);

/// Makes everything written to the folder's file system durable at once.
Result<void> sync_file_system(const std::string& folder);

/// Name of temporary files: `.NAME.wgkit-tmp-XXXXXX`; leftovers of a killed run can be told by it.
bool is_temporary(std::string_view file_name);

/// The file name that a temporary file stands for; empty for any other name.
std::string_view temporary_of(std::string_view file_name);

} // namespace wgkit::files
