#include "util/file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>

#include "util/errno_error.hpp"

namespace wgkit {

namespace {

Result<UniqueFd> locked(UniqueFd file, const std::string& path, Waiting waiting) {
    if (!file) return errno_error(fmt::format("cannot lock {}", path));
    const auto taken = take_lock(file, path, waiting);
    if (!taken) return taken.error();
    if (!*taken)
        return Error{Errc::conflict, fmt::format("{} is locked by somebody else", path), {}};
    return file;
}

} // namespace

Result<bool> take_lock(const UniqueFd& file, const std::string& path, Waiting waiting) {
    while (::flock(file.get(), waiting == Waiting::yes ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK) return false;
        return errno_error(fmt::format("cannot lock {}", path));
    }
    return true;
}

Result<UniqueFd> lock_file(const std::string& path, Waiting waiting, mode_t mode) {
    return locked(UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode)),
                  path, waiting);
}

Result<UniqueFd> lock_existing(const std::string& path, Waiting waiting) {
    return locked(UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path, waiting);
}

} // namespace wgkit
