#include "mesh/output/output_tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <optional>

#include "crypto/sha256.hpp"
#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/unique_fd.hpp"
#include "util/write_file.hpp"
#include "wgkit/files.hpp"

namespace wgkit::mesh {

namespace {

const std::string state_folder = ".wgkit";
const std::string running_marker = state_folder + "/running";
constexpr std::string_view ignore_output = "# Holds private keys: never commit this folder.\n*\n";

std::int64_t modified_of(const struct stat& info) {
    return static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec;
}

bool stat_matches(const struct stat& info, const ManifestEntry& entry) {
    return S_ISREG(info.st_mode) && static_cast<std::uint64_t>(info.st_size) == entry.size
           && modified_of(info) == entry.modified && (info.st_mode & 07777) == entry.mode;
}

/// Folders as they are deployed: only etc/wireguard holds secrets. The deployed tree is copied
/// onto a real root folder, whose modes must not change.
mode_t folder_mode(std::string_view path) { return path.ends_with("etc/wireguard") ? 0700 : 0755; }

/// The process's umask; reading it by umask(2) would change it for other threads.
mode_t current_umask() {
    const auto status = files::read("/proc/self/status");
    constexpr std::string_view label = "\nUmask:\t";
    const auto at = status ? status->find(label) : SecretString::npos;
    if (at == SecretString::npos) return 0777;
    mode_t mask = 0;
    for (auto i = at + label.size(); i < status->size() && ascii::is_digit((*status)[i]); ++i)
        mask = mask * 8 + static_cast<mode_t>((*status)[i] - '0');
    return mask;
}

} // namespace

struct OutputTree::Begin {
    std::once_flag once;
    std::optional<Error> failure;
};

OutputTree::OutputTree(std::string folder)
    : folder_(std::move(folder)), umask_(current_umask()), begin_(std::make_shared<Begin>()) {}

bool OutputTree::is_unfinished() const {
    return ::access(absolute(running_marker).c_str(), F_OK) == 0;
}

/// Before the first write of a run: leaves the mark of an unfinished run, and clears what a killed
/// one left.
Result<void> OutputTree::begin_writing() const {
    std::call_once(begin_->once, [this] {
        if (auto begun = do_begin(); !begun) begin_->failure = std::move(begun).error();
    });
    return begin_->failure ? Result<void>(*begin_->failure) : Result<void>();
}

Result<void> OutputTree::do_begin() const {
    // The root of the output may hold secrets in its depth: closed to others.
    if (auto made = files::make_folders(folder_, 0700); !made) return made;
    if (auto made = files::make_folders(absolute(state_folder), 0700); !made) return made;
    if (is_unfinished()) sweep();
    if (auto marked = files::replace(absolute(running_marker), "", 0600); !marked) return marked;
    const std::string ignore = absolute(".gitignore");
    if (has_manifest_ || ::access(ignore.c_str(), F_OK) == 0) return {}; // its owner's from now on
    return files::replace(ignore, ignore_output, 0644);
}

void OutputTree::sweep() const {
    std::error_code ignored;
    std::filesystem::recursive_directory_iterator walk(folder_, ignored);
    for (; walk != std::filesystem::recursive_directory_iterator(); walk.increment(ignored))
        if (walk->is_regular_file(ignored) && files::is_temporary(walk->path().filename().string()))
            std::filesystem::remove(walk->path(), ignored);
}

Result<OutputTree> OutputTree::open(std::string folder) {
    OutputTree tree(std::move(folder));
    const std::string path = tree.absolute(state_folder + "/manifest");
    auto text = files::read(path);
    if (!text && text.error().code == Errc::not_found) return tree;
    if (!text) return std::move(text).error();
    auto manifest = parse_manifest(*text, path);
    if (!manifest) return std::move(manifest).error();
    tree.before_ = std::move(*manifest);
    tree.has_manifest_ = true;
    return tree;
}

OutputTree::Put OutputTree::compare(const std::string& path, std::string_view content,
                                    mode_t mode) const {
    Put result{{path, crypto::sha256_hex(content), mode, content.size(), 0}, false, true};
    const std::string full = absolute(path);
    struct stat info {};
    result.present = ::lstat(full.c_str(), &info) == 0;
    if (!result.present || !S_ISREG(info.st_mode)
        || static_cast<std::size_t>(info.st_size) != content.size())
        return result;
    const ManifestEntry* known = before_.find(path);
    const bool as_known =
        known != nullptr && known->hash == result.entry.hash && stat_matches(info, *known);
    result.entry.modified = modified_of(info);
    if (as_known) {
        result.written = known->mode != mode;
    } else { // perhaps an earlier run was killed before it wrote its manifest
        const auto present = files::read(full);
        result.written =
            !present || std::string_view(*present) != content || (info.st_mode & 07777) != mode;
    }
    return result;
}

Result<OutputTree::Put> OutputTree::put(const std::string& path, std::string_view content,
                                        mode_t mode) const {
    Put result = compare(path, content, mode);
    if (!result.written) return result;
    if (auto begun = begin_writing(); !begun) return std::move(begun).error();
    const std::string full = absolute(path);
    if (!result.present)
        if (auto made = make_parents(path); !made) return std::move(made).error();
    if (auto written = files::replace_unsynced(full, content, mode, files::Sync::no); !written)
        return std::move(written).error();
    struct stat info {};
    if (::lstat(full.c_str(), &info) != 0) return errno_error(full);
    result.entry.modified = modified_of(info);
    return result;
}

/// Makes the folders of a path below the output folder, with their modes whatever the umask is.
Result<void> OutputTree::make_parents(const std::string& path) const {
    for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
        const std::string relative = path.substr(0, slash);
        const std::string full = absolute(relative);
        const mode_t mode = folder_mode(relative);
        if (::mkdir(full.c_str(), mode) != 0) {
            if (errno != EEXIST) return errno_error(fmt::format("cannot make folder {}", full));
        } else if ((mode & umask_) != 0) {
            ::chmod(full.c_str(), mode);
        }
    }
    return {};
}

Result<std::size_t> OutputTree::prune(const std::vector<ManifestEntry>& after) const {
    std::size_t removed = 0;
    for (const auto& old : before_.entries) {
        const auto at = std::lower_bound(
            after.begin(), after.end(), old.path,
            [](const ManifestEntry& entry, const std::string& path) { return entry.path < path; });
        if (at != after.end() && at->path == old.path) continue;
        if (auto begun = begin_writing(); !begun) return std::move(begun).error();
        if (::unlink(absolute(old.path).c_str()) == 0)
            ++removed;
        else if (errno != ENOENT)
            return errno_error(fmt::format("cannot remove {}", absolute(old.path)));
        // Folders that this leaves empty go too; rmdir refuses the others.
        std::string parent = old.path;
        for (auto slash = parent.rfind('/'); slash != parent.npos; slash = parent.rfind('/')) {
            parent.resize(slash);
            if (::rmdir(absolute(parent).c_str()) != 0) break;
        }
    }
    return removed;
}

Result<void>
OutputTree::finish(const Manifest& after,
                   const std::vector<std::pair<std::string, std::string>>& snapshots) const {
    const std::string text_after = to_text(after);
    if (has_manifest_ && text_after == to_text(before_) && !is_unfinished()) return {};
    const std::string state = absolute(state_folder);
    if (auto begun = begin_writing(); !begun) return begun;
    for (const auto& [name, text] : snapshots) {
        auto written = files::replace_unsynced(state + "/" + name, text, 0600, files::Sync::no);
        if (!written) return written;
    }
    if (auto synced = files::sync_file_system(state); !synced) return synced;
    auto written = files::replace(state + "/manifest", text_after, 0600);
    if (written && ::unlink(absolute(running_marker).c_str()) != 0 && errno != ENOENT)
        return errno_error(fmt::format("cannot remove {}", absolute(running_marker)));
    return written;
}

Result<std::string> OutputTree::snapshot(const std::string& name) const {
    auto text = files::read(absolute(state_folder + "/" + name));
    if (!text) return std::move(text).error();
    return std::string(*text);
}

std::vector<std::string> OutputTree::drift() const {
    std::vector<std::string> paths;
    for (const auto& entry : before_.entries) {
        struct stat info {};
        const std::string full = absolute(entry.path);
        if (::lstat(full.c_str(), &info) == 0 && stat_matches(info, entry)) continue;
        const auto text = files::read(full);
        if (!text || crypto::sha256_hex(*text) != entry.hash
            || (info.st_mode & 07777) != entry.mode)
            paths.push_back(entry.path);
    }
    return paths;
}

} // namespace wgkit::mesh
