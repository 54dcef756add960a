#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "util/unique_fd.hpp"
#include "wgkit/confirm.hpp"

namespace wgkit::confirm {

/// A boot file as it is remembered; its content waits in `Place::staged`.
struct StagedFile {
    std::string path;
    mode_t mode = 0600;
    std::string before; ///< which file was in its place: see `fingerprint`
};

/// All that is remembered of a change.
struct Record {
    Pending pending;
    std::vector<StagedFile> files;
    std::uint64_t net_space = 0; ///< the network namespace that it was made in
};

std::string to_json(const Record& record);
/// Errors: invalid, with `path`.
Result<Record> parse_record(std::string_view json, const std::string& path);

/// Where everything that is pending is.
std::string changes_folder();
/// Errors: invalid.
Result<void> check_name(const std::string& name);
/// Tells a file from another one, or a later state of it; "none" without one.
std::string fingerprint(const std::string& path);

/// Where one change is remembered: a folder of its name. The change is there as long as the
/// record is; other files without it are leftovers of a run that was killed.
class Place {
  public:
    explicit Place(std::string name);

    const std::string& name() const { return name_; }
    const std::string& folder() const { return folder_; }
    std::string data(const std::string& file) const { return folder_ + "/data-" + file; }
    std::string staged(std::size_t number) const;

    /// Whoever has it is the only one to change the record, until it is closed. Without `wait`, an
    /// Error of code conflict if somebody else has it.
    Result<UniqueFd> lock(bool wait) const;
    /// The lock of the one watcher. Errors: conflict (there is one), not_found, system.
    Result<UniqueFd> lock_watch() const;
    bool is_watched() const;

    /// Nothing if there is no such change. Errors: permission, invalid, system.
    Result<std::optional<Record>> read() const;
    Result<void> write(const Record& record) const;
    /// The record first, then all the rest.
    Result<void> remove() const;

  private:
    std::string name_;
    std::string folder_;
};

} // namespace wgkit::confirm
