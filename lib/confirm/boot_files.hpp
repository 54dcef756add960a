#pragma once

#include "confirm/record.hpp"

namespace wgkit::confirm {

/// Boot files that are about to get their places: written beside them and synced, so that what
/// takes space or rights is done; what is left are renames. Whatever is not placed goes with it.
class PreparedFiles {
  public:
    /// Errors: those of writing.
    static Result<PreparedFiles> prepare(const Place& place, const Record& record);
    PreparedFiles(PreparedFiles&& other) noexcept;
    PreparedFiles& operator=(PreparedFiles&&) = delete;
    PreparedFiles(const PreparedFiles&) = delete;
    PreparedFiles& operator=(const PreparedFiles&) = delete;
    ~PreparedFiles();

    /// Durable when it returns. Errors: those of rename(2) and fsync(2).
    Result<void> place();

  private:
    PreparedFiles() = default;
    struct File {
        std::string temporary; ///< empty once it is in its place
        std::string path;
    };
    std::vector<File> files_;
};

} // namespace wgkit::confirm
