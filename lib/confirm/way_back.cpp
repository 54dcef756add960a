// A change that was confirmed, but is kept only if others are, too.
#include "confirm/way_back.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "util/ascii.hpp"
#include "util/child.hpp"
#include "util/errno_error.hpp"
#include "wgkit/files.hpp"

namespace wgkit::confirm {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_way = 120s;

std::string record_path(const std::string& folder) { return folder + "/record"; }
std::string new_file(const std::string& folder, std::size_t number) {
    return fmt::format("{}/boot-{}", folder, number);
}
std::string old_file(const std::string& folder, std::size_t number) {
    return fmt::format("{}/was-{}", folder, number);
}

/// Nothing without a file.
Result<std::optional<SecretString>> read_if_any(const std::string& path) {
    auto text = files::read(path);
    if (text) return std::optional(*std::move(text));
    if (text.error().code == Errc::not_found) return std::optional<SecretString>();
    return text.error();
}

/// What is there now must be the change's, or already what was there before.
Result<void> check_boot_file(const std::string& path, const std::string& folder,
                             std::size_t number) {
    const auto present = read_if_any(path);
    if (!present) return present.error();
    const auto changed = read_if_any(new_file(folder, number));
    if (!changed) return changed.error();
    const auto before = read_if_any(old_file(folder, number));
    if (!before) return before.error();
    if (*present == *changed || *present == *before) return {};
    return Error{Errc::conflict, fmt::format("{} was changed since by somebody else", path),
                 "it would be lost; take the change back by hand, or make a new one"};
}

Result<void> put_back(const std::string& path, const std::string& folder, std::size_t number,
                      mode_t mode) {
    const auto before = read_if_any(old_file(folder, number));
    if (!before) return before.error();
    if (*before) return files::replace(path, **before, mode);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error(path);
    return {};
}

} // namespace

Result<void> keep_way_back(const Place& place, const Record& record, const std::string& folder) {
    if (auto dropped = drop_way_back(folder); !dropped) return dropped;
    if (auto made = files::make_folders(folder, 0700); !made) return made;
    std::error_code failed;
    for (std::filesystem::directory_iterator at(place.folder(), failed), end; !failed && at != end;
         at.increment(failed)) {
        const std::string name = at->path().filename();
        if (!name.starts_with("data-") && !name.starts_with("boot-")) continue;
        const auto content = files::read(at->path());
        if (!content) return content.error();
        if (auto made = files::create(folder + "/" + name, *content, 0600); !made) return made;
    }
    if (failed) return errno_error(place.folder(), failed.value());
    for (std::size_t i = 0; i < record.files.size(); ++i) {
        const auto present = read_if_any(record.files[i].path);
        if (!present) return present.error();
        if (!*present) continue;
        if (auto made = files::create(old_file(folder, i), **present, 0600); !made) return made;
    }
    Record kept = record;
    for (auto& word : kept.pending.undo)
        if (word.starts_with(place.folder() + "/"))
            word = folder + word.substr(place.folder().size());
    return files::replace(record_path(folder), to_json(kept), 0600);
}

bool has_way_back(const std::string& folder) {
    return ::access(record_path(folder).c_str(), F_OK) == 0;
}

Result<void> take_back(const std::string& folder) {
    const auto text = files::read(record_path(folder));
    if (!text) return text.error();
    const auto record = parse_record(*text, record_path(folder));
    if (!record) return record.error();
    const auto& all = record->files;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (auto good = check_boot_file(all[i].path, folder, i); !good) return good;
    const auto& undo = record->pending.undo;
    const auto ended = run_child(undo, {}, longest_way);
    if (!ended) return ended.error();
    if (ended->status != 0)
        return Error{Errc::system,
                     fmt::format("cannot undo {}: {}", record->pending.name,
                                 ended->timed_out ? fmt::format("{} did not end", undo.front())
                                                  : std::string(ascii::trim(ended->errors))),
                     {}};
    for (std::size_t i = 0; i < all.size(); ++i)
        if (auto done = put_back(all[i].path, folder, i, all[i].mode); !done) return done;
    return drop_way_back(folder);
}

Result<void> drop_way_back(const std::string& folder) {
    // Without its record it is none; the rest can go in any order.
    if (::unlink(record_path(folder).c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
        return errno_error(record_path(folder));
    std::error_code failed;
    std::filesystem::remove_all(folder, failed);
    if (failed) return errno_error(folder, failed.value());
    return {};
}

} // namespace wgkit::confirm
