// A change is armed, confirmed, undone: what programs call. The waiting is in watch.cpp.
#include "wgkit/confirm.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "confirm/boot_files.hpp"
#include "confirm/events.hpp"
#include "confirm/origin.hpp"
#include "confirm/watcher.hpp"
#include "confirm/way_back.hpp"
#include "util/errno_error.hpp"
#include "util/namespace.hpp"
#include "wgkit/files.hpp"

namespace wgkit::confirm {

namespace {

using namespace std::chrono_literals;

constexpr mode_t private_folder = 0700;
/// For an undoing command that takes its time, and a second try.
constexpr auto longest_undo = 150s;

Error none(const std::string& name) {
    return {Errc::not_found, fmt::format("no change {} is pending", name), {}};
}

Result<void> check(const Change& change) {
    if (auto good = check_name(change.name); !good) return good;
    if (change.undo.empty() || !change.undo.front().starts_with('/'))
        return Error{Errc::invalid, "the undoing program needs an absolute path", {}};
    if (change.timeout <= 0s) return Error{Errc::invalid, "no time to confirm the change", {}};
    for (const auto& file : change.boot_files) {
        const std::filesystem::path path(file.path);
        if (!path.is_absolute())
            return Error{Errc::invalid, fmt::format("{} is no absolute path", file.path), {}};
        // Rather now than when the change has been confirmed.
        if (::access(path.parent_path().c_str(), W_OK) != 0)
            return errno_error(path.parent_path().string());
    }
    return {};
}

/// What the record names, then the record: with it, the change is there.
Result<Record> write_all(const Place& place, const Change& change) {
    std::error_code failed;
    std::filesystem::remove_all(place.folder(), failed); // leftovers
    if (auto made = files::make_folders(place.folder(), private_folder); !made) return made.error();
    Record record;
    for (const auto& file : change.data)
        if (auto made = files::create(place.data(file.name), file.content, 0600); !made)
            return made.error();
    for (const auto& file : change.boot_files) {
        if (auto made = files::create(place.staged(record.files.size()), file.content, 0600); !made)
            return made.error();
        record.files.push_back({file.path, file.mode, fingerprint(file.path)});
        record.pending.boot_files.push_back(file.path);
    }
    record.net_space = namespace_of("net");
    auto& pending = record.pending;
    pending.name = change.name;
    pending.summary = change.summary;
    pending.undo = change.undo;
    pending.armed = now();
    pending.deadline = pending.armed + change.timeout;
    if (auto written = place.write(record); !written) return written.error();
    return record;
}

Result<void> check_boot_files(const Record& record) {
    for (const auto& file : record.files)
        if (fingerprint(file.path) != file.before)
            return Error{Errc::conflict,
                         fmt::format("{} was changed since by somebody else; nothing is confirmed",
                                     file.path),
                         "it would be replaced; put that change aside and the old file back, or "
                         "have this change undone"};
    return {};
}

Result<Record> read_pending(const Place& place) {
    auto record = place.read();
    if (!record) return record.error();
    if (!*record) return none(place.name());
    return **std::move(record);
}

} // namespace

BootTime now() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return std::chrono::seconds(time.tv_sec) + BootTime(time.tv_nsec);
}

std::string data_path(const std::string& change, const std::string& file) {
    return Place(change).data(file);
}

Result<Pending> arm(const Change& change) {
    if (auto good = check(change); !good) return good.error();
    const Place place(change.name);
    // What is above is for everybody, and may be new, too.
    const auto above = std::filesystem::path(changes_folder()).parent_path();
    if (auto made = files::make_folders(above, 0755); !made) return made.error();
    if (auto made = files::make_folders(changes_folder(), private_folder); !made)
        return made.error();
    const auto lock = place.lock(false);
    if (!lock) return lock.error();
    const auto there = place.read();
    if (!there) return there.error();
    if (*there)
        return Error{Errc::conflict,
                     fmt::format("an earlier change is pending ({})", (*there)->pending.summary),
                     "confirm it, or have it undone, first"};
    auto record = write_all(place, change);
    if (!record) {
        (void)place.remove();
        return record.error();
    }
    if (auto started = start_watcher(place); !started) {
        (void)place.remove();
        return started.error();
    }
    record->pending.is_watched = true;
    return record->pending;
}

Result<void> disarm(const std::string& name) {
    const Place place(name);
    const auto lock = place.lock(true);
    if (!lock) return lock.error();
    return place.remove();
}

Result<Pending> confirm(const std::string& name) { return confirm(name, {}); }

Result<Pending> confirm(const std::string& name, const std::string& way_back) {
    if (auto good = check_name(name); !good) return good.error();
    const Place place(name);
    auto record = read_pending(place);
    if (!record) return record.error();
    const auto lock = place.lock(false);
    if (!lock) return lock.error();
    record = read_pending(place);
    if (!record) return record.error();
    auto& it = record->pending;
    if (it.state != State::confirmed) {
        if (it.state != State::pending || now() >= it.deadline)
            return Error{Errc::conflict, fmt::format("too late: the time of {} is over", name),
                         it.is_watched ? "it is undone; make the change again"
                                       : "its watcher was killed: have it undone"};
        const auto chain = read_ancestors();
        if (!chain) return chain.error();
        if (auto proven = check_origin(*chain, it.armed, now()); !proven) return proven.error();
        if (auto same = check_boot_files(*record); !same) return same.error();
        if (!way_back.empty())
            if (auto kept = keep_way_back(place, *record, way_back); !kept) return kept.error();
    }
    auto prepared = PreparedFiles::prepare(place, *record);
    if (!prepared) return prepared.error();
    // From here on it goes forward: whoever finds it so puts the files in their places.
    it.state = State::confirmed;
    if (auto written = place.write(*record); !written) return written.error();
    if (auto placed = prepared->place(); !placed) return placed.error();
    if (auto removed = place.remove(); !removed) return removed.error();
    return it;
}

Result<Pending> undo(const std::string& name) {
    if (auto good = check_name(name); !good) return good.error();
    const Place place(name);
    const Events events(place.folder());
    auto record = read_pending(place);
    if (!record) return record.error();
    {
        const auto lock = place.lock(true);
        if (!lock) return lock.error();
        auto there = read_pending(place);
        // The watcher was at it.
        if (!there && record->pending.state == State::undoing) return record->pending;
        if (!there) return there.error();
        record = *std::move(there);
        if (record->pending.state == State::confirmed)
            return Error{Errc::conflict, fmt::format("{} is confirmed", name), {}};
        const bool is_watched = record->pending.is_watched;
        if (!is_watched && record->net_space != namespace_of("net"))
            return Error{Errc::conflict,
                         fmt::format("{} was made in another network namespace", name),
                         "undo it from there"};
        record->pending.state = State::pending;
        record->pending.deadline = now();
        if (auto written = place.write(*record); !written) return written.error();
        if (!is_watched)
            if (auto started = start_watcher(place); !started) return started.error();
    }
    const auto end = now() + longest_undo;
    while (now() < end) {
        const auto left = place.read();
        if (!left) return left.error();
        if (!*left) return record->pending;
        if ((*left)->pending.state == State::undo_failed)
            return Error{Errc::system,
                         fmt::format("cannot undo {}: {}", name, (*left)->pending.problem),
                         "the watcher tries it again a few times"};
        events.wait(std::min<BootTime>(end - now(), 1s));
    }
    return Error{Errc::system, fmt::format("{} is still being undone", name), {}};
}

Result<std::optional<Pending>> find(const std::string& name) {
    if (auto good = check_name(name); !good) return good.error();
    auto record = Place(name).read();
    if (!record) return record.error();
    if (!*record) return std::optional<Pending>();
    return std::optional<Pending>(std::move((*record)->pending));
}

Result<std::vector<Pending>> list() {
    std::vector<Pending> all;
    std::error_code failed;
    for (std::filesystem::directory_iterator at(changes_folder(), failed), end;
         !failed && at != end; at.increment(failed)) {
        const std::string name = at->path().filename();
        if (!check_name(name)) continue;
        auto one = find(name);
        if (!one) return one.error();
        if (*one) all.push_back(**std::move(one));
    }
    if (failed && failed != std::errc::no_such_file_or_directory)
        return errno_error(changes_folder(), failed.value());
    std::sort(all.begin(), all.end(),
              [](const Pending& a, const Pending& b) { return a.name < b.name; });
    return all;
}

} // namespace wgkit::confirm
