#pragma once

#include <fcntl.h>
#include <sys/file.h>

#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"
#include "wgkit/files.hpp"
#include "wgkit/result.hpp"

namespace wgkit::tool::fw {

/// Waits for other changes of firewalls to end, and keeps more away while it is open.
inline Result<UniqueFd> take_lock() {
    constexpr const char* path = "/run/wgkit/fw.lock";
    if (auto made = files::make_folders("/run/wgkit", 0755); !made) return made.error();
    UniqueFd fd(::open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd || ::flock(fd.get(), LOCK_EX) != 0) return errno_error(path);
    return fd;
}

} // namespace wgkit::tool::fw
