#include "wgkit/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "util/errno_error.hpp"
#include "util/write_file.hpp"

namespace wgkit::files {

namespace {

Result<SecretString> read_all(int fd, const std::string& path, std::size_t size_hint) {
    // One byte more, to meet the end without growing; never so short that the text would live in
    // the string object, which is not wiped.
    SecretString text(std::max(size_hint + 1, std::size_t{256}), '\0');
    std::size_t used = 0;
    while (true) {
        const ssize_t n = ::read(fd, text.data() + used, text.size() - used);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno_error(fmt::format("cannot read {}", path));
        if (n == 0) break;
        used += static_cast<std::size_t>(n);
        if (used > max_input_bytes)
            return Error{Errc::invalid, fmt::format("{} is larger than 64 MiB", path), {}};
        if (used == text.size()) text.resize(text.size() * 2 + 4096);
    }
    text.resize(used);
    return text;
}

Result<SecretString> read_checked(const std::string& path, bool must_be_private) {
    if (path == "-") return read_all(STDIN_FILENO, "standard input", 0);
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return errno_error(fmt::format("cannot open {}", path));
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return errno_error(fmt::format("cannot stat {}", path));
    if (S_ISDIR(info.st_mode))
        return Error{Errc::invalid, fmt::format("{} is a folder, not a file", path), {}};
    if (must_be_private && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0)
        return Error{
            Errc::permission,
            fmt::format("{} holds a secret but its mode {:04o} lets others access it", path,
                        info.st_mode & 07777),
            fmt::format("chmod 600 {}; and if others may have read it, make a new key", path)};
    const auto hint = S_ISREG(info.st_mode) && info.st_size > 0
                          ? static_cast<std::size_t>(info.st_size)
                          : std::size_t{0};
    if (hint > max_input_bytes)
        return Error{Errc::invalid, fmt::format("{} is larger than 64 MiB", path), {}};
    return read_all(fd.get(), path, hint);
}

std::string folder_of(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path().string();
    return parent.empty() ? "." : parent;
}

Result<void> sync_folder(const std::string& folder) {
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) return errno_error(fmt::format("cannot sync {}", folder));
    return {};
}

} // namespace

Result<SecretString> read(const std::string& path) { return read_checked(path, false); }

Result<SecretString> read_secret(const std::string& path, bool allow_open) {
    return read_checked(path, !allow_open);
}

Result<void> create(const std::string& path, std::string_view content, mode_t mode) {
    auto created = create_unsynced(path, content, mode, Sync::yes);
    if (!created) return created;
    return sync_folder(folder_of(path));
}

Result<void> replace(const std::string& path, std::string_view content, mode_t mode) {
    return replace(
        path, [&](const Sink& to) { to(content); }, mode);
}

Result<void> replace(const std::string& path, const Producer& content, mode_t mode) {
    auto renamed = replace_unsynced(path, content, mode, Sync::yes);
    if (!renamed) return renamed;
    return sync_folder(folder_of(path));
}

mode_t mode_of(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0644;
}

Result<void> make_folders(const std::string& path, mode_t mode) {
    if (path.empty() || ::mkdir(path.c_str(), mode) == 0) return {};
    if (errno == ENOENT) {
        auto parent = make_folders(folder_of(path), mode);
        if (!parent) return parent;
        if (::mkdir(path.c_str(), mode) == 0) return {};
    }
    const int why = errno;
    struct stat info {};
    if (why == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    return errno_error(fmt::format("cannot make folder {}", path), why);
}

} // namespace wgkit::files
