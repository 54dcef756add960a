#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/output/manifest.hpp"
#include "wgkit/result.hpp"

namespace wgkit::mesh {

/// The output folder: files that are right are not touched, files that are not are replaced
/// whole, files of an earlier render that nothing asks for any more are removed, and the manifest
/// is written last. Files here can be made again, so they are synced once, before the manifest,
/// rather than one by one.
class OutputTree {
  public:
    /// Reads the manifest, if there is one. Makes nothing yet.
    static Result<OutputTree> open(std::string folder);

    const Manifest& before() const { return before_; }
    bool has_manifest() const { return has_manifest_; }
    /// True from the first write of a run until its `finish`: after a kill, until the next run.
    bool is_unfinished() const;

    struct Put {
        ManifestEntry entry;
        bool present = false; ///< there was something at this path before
        bool written = false; ///< its content or mode was not right
    };
    /// Brings one file to this content and mode. Threads: safe for different paths.
    Result<Put> put(const std::string& path, std::string_view content, mode_t mode) const;

    /// As `put`, but only looks whether the file would be written.
    Put compare(const std::string& path, std::string_view content, mode_t mode) const;

    /// Removes the files that only the manifest before had and returns their number. Files that no
    /// manifest lists are never removed.
    Result<std::size_t> prune(const std::vector<ManifestEntry>& after) const;

    /// Writes snapshot files (name, text) beside the manifest, then the manifest.
    Result<void> finish(const Manifest& after,
                        const std::vector<std::pair<std::string, std::string>>& snapshots) const;

    /// Text of a snapshot that `finish` wrote. Errors: not_found.
    Result<std::string> snapshot(const std::string& name) const;

    /// Paths whose file is missing or of another size, mode or time than the manifest says, and
    /// whose content is not what it says either.
    std::vector<std::string> drift() const;

  private:
    explicit OutputTree(std::string folder);
    Result<void> begin_writing() const;
    Result<void> do_begin() const;
    void sweep() const;
    Result<void> make_parents(const std::string& path) const;
    std::string absolute(const std::string& path) const { return folder_ + "/" + path; }

    std::string folder_;
    mode_t umask_;
    Manifest before_;
    bool has_manifest_ = false;
    struct Begin;
    std::shared_ptr<Begin> begin_;
};

} // namespace wgkit::mesh
