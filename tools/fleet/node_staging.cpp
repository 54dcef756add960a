#include "fleet/node_staging.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "fleet/common.hpp"
#include "fleet/node.hpp"
#include "wgkit/files.hpp"
#include "wgkit/interface.hpp"

namespace wgkit::tool::fleet {

namespace {

constexpr const char* staging_folder = "/run/wgkit/fleet";

} // namespace

Result<StagedFile> StagedFile::make(const wgkit::fleet::WantedFile& wanted) {
    const auto& name = wanted.interface;
    auto path = fmt::format("{}/{}.conf", staging_folder, name);
    // Becomes a part of paths.
    if (name.empty() || name.find('/') != name.npos || name.front() == '.' || name.size() > 15)
        return Error{Errc::invalid, fmt::format("'{}' is no name of an interface", name), {}};
    auto parsed = config::parse(wanted.config, file_path(name));
    if (auto error = first_error(parsed.diagnostics)) return *std::move(error);
    SecretString text(wanted.config);
    if (!parsed.config.interface.private_key) {
        const auto key = own_key(name);
        if (!key) return key.error();
        text = wgkit::fleet::with_private_key(wanted.config, name, *key);
        parsed = config::parse(text, file_path(name));
        if (auto error = first_error(parsed.diagnostics)) return *std::move(error);
    }
    if (auto made = files::make_folders(staging_folder, 0700); !made) return made.error();
    if (auto written = files::replace(path, text, 0600); !written) return written.error();
    return StagedFile(name, std::move(path), std::move(text), std::move(parsed.config));
}

StagedFile::StagedFile(StagedFile&& other) noexcept
    : interface_(std::move(other.interface_)), path_(std::exchange(other.path_, {})),
      text_(std::move(other.text_)), config_(std::move(other.config_)) {}

StagedFile::~StagedFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

Result<std::vector<std::string>> StagedFile::changes() const {
    const auto path = file_path(interface_);
    const auto text = files::read(path);
    if (!text && text.error().code != Errc::not_found) return text.error();
    if (!text)
        return std::vector<std::string>{
            fmt::format("+ {} with {} peers", path, config_.peers.size())};
    auto parsed = config::parse(*text, path);
    if (auto error = first_error(parsed.diagnostics)) return *std::move(error);
    return wgkit::fleet::compare_files(parsed.config, config_);
}

} // namespace wgkit::tool::fleet
