#include "monitor/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "util/file_lock.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::monitor {

namespace {

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

/// The group that may read the state, if this machine has it and we may give files to it. Only the
/// local file is asked: looking groups up loads libraries.
std::optional<gid_t> reader_group() {
    if (::geteuid() != 0) return std::nullopt;
    std::optional<gid_t> found;
    if (std::FILE* file = std::fopen("/etc/group", "re")) {
        while (const group* one = ::fgetgrent(file))
            if (std::string_view(one->gr_name) == "wgkit") found = one->gr_gid;
        std::fclose(file);
    }
    return found;
}

} // namespace

std::string default_state_folder() {
    if (const char* folder = std::getenv("STATE_DIRECTORY")) return folder;
    if (::geteuid() == 0) return "/var/lib/wgkit";
    if (const char* base = std::getenv("XDG_STATE_HOME"); base != nullptr && *base != '\0')
        return fmt::format("{}/wgkit", base);
    const char* home = std::getenv("HOME");
    return fmt::format("{}/.local/state/wgkit", home == nullptr ? "" : home);
}

Result<Store> Store::open(const std::string& path) {
    if (auto made = files::make_folders(folder_of(path), 0750); !made) return made.error();
    Store store;
    store.path_ = path;
    const std::string lock = path + ".lock";
    auto held = lock_file(lock, Waiting::no, 0640);
    if (!held && held.error().code == Errc::conflict)
        return Error{Errc::conflict, fmt::format("{}: another wgkit-monitor is at work", path), {}};
    if (!held) return held.error();
    store.lock_ = *std::move(held);
    return store;
}

Result<SecretString> Store::load() const {
    auto text = files::read(path_);
    if (!text && text.error().code == Errc::not_found) return SecretString();
    return text;
}

void Store::set_aside(const Error& why, const Report& report) const {
    const std::string aside = path_ + ".unusable";
    const bool kept = std::rename(path_.c_str(), aside.c_str()) == 0;
    report.warning(fmt::format("{}: {}: starting anew", path_, why.message),
                   kept ? fmt::format("it is kept as {}", aside) : std::string());
}

Result<void> Store::save(const files::Producer& text) const {
    const auto saved = files::replace(path_, text, 0640);
    if (!saved) return saved;
    if (const auto readers = reader_group()) {
        const std::string folder = folder_of(path_);
        struct stat now {};
        // A folder that is nobody's but root's is ours to open; another is left as it is.
        if (::stat(folder.c_str(), &now) == 0 && now.st_gid == 0 && (now.st_mode & 07) == 0)
            (void)!::chown(folder.c_str(), static_cast<uid_t>(-1), *readers);
        (void)!::chown(path_.c_str(), static_cast<uid_t>(-1), *readers);
    }
    return {};
}

} // namespace wgkit::tool::monitor
