#pragma once

#include <string>
#include <vector>

#include "wgkit/config.hpp"
#include "wgkit/fleet.hpp"

namespace wgkit::tool::fleet {

/// An interface's file as it was asked for, with the node's own key in it, in a place where other
/// programs of wgkit can read it: /run/wgkit/fleet/IF.conf, mode 0600. Removed with this object.
class StagedFile {
  public:
    /// Errors: invalid (no file that wg-quick takes), not_found (no key), permission, system.
    static Result<StagedFile> make(const wgkit::fleet::WantedFile& wanted);
    StagedFile(StagedFile&& other) noexcept;
    StagedFile& operator=(StagedFile&&) = delete;
    StagedFile(const StagedFile&) = delete;
    StagedFile& operator=(const StagedFile&) = delete;
    ~StagedFile();

    const std::string& path() const { return path_; }
    const SecretString& text() const { return text_; }
    const wgkit::config::Config& config() const { return config_; }
    /// What differs from the file that the node has, in words; all of it without one.
    /// Errors: if that file cannot be read, or has errors.
    Result<std::vector<std::string>> changes() const;

  private:
    StagedFile(std::string interface, std::string path, SecretString text,
               wgkit::config::Config config)
        : interface_(std::move(interface)), path_(std::move(path)), text_(std::move(text)),
          config_(std::move(config)) {}

    std::string interface_;
    std::string path_;
    SecretString text_;
    wgkit::config::Config config_;
};

} // namespace wgkit::tool::fleet
