#pragma once

#include "util/file_lock.hpp"
#include "wgkit/files.hpp"
#include "wgkit/result.hpp"

namespace wgkit::tool::fw {

/// Waits for other changes of firewalls to end, and keeps more away while it is open.
inline Result<UniqueFd> take_lock() {
    constexpr const char* path = "/run/wgkit/fw.lock";
    if (auto made = files::make_folders("/run/wgkit", 0755); !made) return made.error();
    return lock_file(path, Waiting::yes);
}

} // namespace wgkit::tool::fw
