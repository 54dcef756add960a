#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace wgkit {

/// A new folder, mode 0700, that goes away with all that is in it.
class TemporaryFolder {
  public:
    /// `prefix` and six letters. If it cannot be made, `path` is empty, and errno says why.
    explicit TemporaryFolder(const std::string& prefix) : path_(prefix + "XXXXXX") {
        if (::mkdtemp(path_.data()) == nullptr) path_.clear();
    }
    /// In the folder for temporary files.
    static std::string prefix(const std::string& name) {
        return (std::filesystem::temp_directory_path() / name).string();
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }

    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

} // namespace wgkit
