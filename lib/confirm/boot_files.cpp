#include "confirm/boot_files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "util/errno_error.hpp"
#include "util/write_file.hpp"
#include "wgkit/files.hpp"

namespace wgkit::confirm {

Result<PreparedFiles> PreparedFiles::prepare(const Place& place, const Record& record) {
    PreparedFiles prepared;
    for (std::size_t i = 0; i < record.files.size(); ++i) {
        const auto& [path, mode, before] = record.files[i];
        const auto content = files::read(place.staged(i));
        if (!content) return content.error();
        auto temporary = files::write_temporary(path, *content, mode, files::Sync::yes);
        if (!temporary) return temporary.error();
        prepared.files_.push_back({*std::move(temporary), path});
    }
    return prepared;
}

PreparedFiles::PreparedFiles(PreparedFiles&& other) noexcept : files_(std::move(other.files_)) {
    other.files_.clear();
}

PreparedFiles::~PreparedFiles() {
    for (const auto& file : files_)
        if (!file.temporary.empty()) ::unlink(file.temporary.c_str());
}

Result<void> PreparedFiles::place() {
    for (auto& [temporary, path] : files_) {
        if (std::rename(temporary.c_str(), path.c_str()) != 0)
            return errno_error(fmt::format("cannot replace {}", path));
        temporary.clear();
    }
    for (const auto& file : files_)
        if (auto synced =
                files::sync_file_system(std::filesystem::path(file.path).parent_path().string());
            !synced)
            return synced;
    return {};
}

} // namespace wgkit::confirm
