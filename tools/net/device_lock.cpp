#include "net/device_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "wgkit/files.hpp"

namespace wgkit::tool::net {

namespace {

constexpr const char* folder = "/run/wgkit/net";

Error failed(const std::string& path) {
    const int code = errno;
    return {code == EACCES || code == EPERM ? Errc::permission : Errc::system,
            fmt::format("cannot lock {}: {}", path, std::generic_category().message(code)),
            code == EACCES || code == EPERM ? "it takes root" : ""};
}

} // namespace

DeviceLock::DeviceLock(DeviceLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

DeviceLock::~DeviceLock() {
    if (fd_ >= 0) ::close(fd_);
}

Result<DeviceLock> DeviceLock::take(const std::string& interface) {
    if (auto made = files::make_folders(folder, 0700); !made) return made.error();
    // Interfaces of the same name in other network namespaces are others.
    struct stat space {};
    if (::stat("/proc/self/ns/net", &space) != 0) return failed("/proc/self/ns/net");
    const std::string path = fmt::format("{}/{}-{}.lock", folder, interface, space.st_ino);
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return failed(path);
    DeviceLock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) return failed(path);
    return Error{Errc::conflict, fmt::format("another apply is at work on {}", interface),
                 "wait until it is done"};
}

} // namespace wgkit::tool::net
