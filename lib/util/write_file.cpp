#include "util/write_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "util/errno_error.hpp"

namespace wgkit::files {

namespace {

constexpr std::string_view temporary_infix = ".wgkit-tmp-";

} // namespace

Result<void> write_all(int fd, std::string_view content, const std::string& path) {
    while (!content.empty()) {
        const ssize_t n = ::write(fd, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno_error(fmt::format("cannot write {}", path));
        content.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

Result<std::string> write_temporary(const std::string& path, const Producer& content, mode_t mode,
                                    Sync sync) {
    const auto slash = path.rfind('/') + 1; // 0 without a slash: npos + 1
    std::string name =
        fmt::format("{}.{}{}XXXXXX", path.substr(0, slash), path.substr(slash), temporary_infix);
    constexpr mode_t created_mode = 0600; // by mkostemp
    UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd) return errno_error(fmt::format("cannot write {}", path));
    Result<void> written;
    content([&](std::string_view piece) {
        if (written) written = write_all(fd.get(), piece, path);
    });
    if (written && mode != created_mode && ::fchmod(fd.get(), mode) != 0)
        written = errno_error(fmt::format("cannot set the mode of {}", path));
    if (written && sync == Sync::yes && ::fsync(fd.get()) != 0)
        written = errno_error(fmt::format("cannot sync {}", path));
    if (written && ::close(fd.release()) != 0)
        written = errno_error(fmt::format("cannot write {}", path));
    if (!written) {
        ::unlink(name.c_str());
        return std::move(written).error();
    }
    return name;
}

Result<std::string> write_temporary(const std::string& path, std::string_view content, mode_t mode,
                                    Sync sync) {
    return write_temporary(
        path, [&](const Sink& to) { to(content); }, mode, sync);
}

Result<void> create_unsynced(const std::string& path, std::string_view content, mode_t mode,
                             Sync sync) {
    auto temporary = write_temporary(path, content, mode, sync);
    if (!temporary) return std::move(temporary).error();
    // As exclusive as O_EXCL, but the file is complete when it appears.
    if (::renameat2(AT_FDCWD, temporary->c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
        const int why = errno;
        ::unlink(temporary->c_str());
        if (why == EEXIST) return Error{Errc::exists, fmt::format("{} exists already", path), {}};
        return errno_error(fmt::format("cannot create {}", path), why);
    }
    return {};
}

Result<void> sync_file_system(const std::string& folder) {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::syncfs(fd.get()) != 0) return errno_error(fmt::format("cannot sync {}", folder));
    return {};
}

Result<void> replace_unsynced(const std::string& path, std::string_view content, mode_t mode,
                              Sync sync) {
    return replace_unsynced(
        path, [&](const Sink& to) { to(content); }, mode, sync);
}

Result<void> replace_unsynced(const std::string& path, const Producer& content, mode_t mode,
                              Sync sync) {
    auto temporary = write_temporary(path, content, mode, sync);
    if (!temporary) return std::move(temporary).error();
    if (::rename(temporary->c_str(), path.c_str()) != 0) {
        const int why = errno;
        ::unlink(temporary->c_str());
        return errno_error(fmt::format("cannot replace {}", path), why);
    }
    return {};
}

bool is_temporary(std::string_view file_name) { return !temporary_of(file_name).empty(); }

std::string_view temporary_of(std::string_view file_name) {
    const auto end = file_name.rfind(temporary_infix);
    if (!file_name.starts_with('.') || end == std::string_view::npos || end == 0) return {};
    return file_name.substr(1, end - 1);
}

} // namespace wgkit::files
