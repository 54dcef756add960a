#include "confirm/record.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "util/ascii.hpp"
#include "util/errno_error.hpp"
#include "util/file_lock.hpp"
#include "util/json_text.hpp"
#include "wgkit/files.hpp"

namespace wgkit::confirm {

namespace {

using Json = nlohmann::ordered_json;

constexpr int schema = 1;
constexpr std::size_t longest_name = 64;
constexpr std::array<std::string_view, 4> state_names{"pending", "confirmed", "undoing",
                                                      "undo-failed"};

State state_named(const std::string& name) {
    const auto at = std::find(state_names.begin(), state_names.end(), name);
    // A state of a later version: at least nothing is confirmed that was not.
    return at == state_names.end() ? State::pending : static_cast<State>(at - state_names.begin());
}

} // namespace

std::string_view to_string(State state) { return state_names.at(static_cast<std::size_t>(state)); }

std::string to_json(const Record& record) {
    const Pending& it = record.pending;
    Json files = Json::array();
    for (const auto& file : record.files)
        files.push_back({{"path", file.path}, {"mode", file.mode}, {"before", file.before}});
    return json_text::dump(Json{{"schema", schema},
                                {"name", it.name},
                                {"summary", it.summary},
                                {"state", to_string(it.state)},
                                {"armed", it.armed.count()},
                                {"deadline", it.deadline.count()},
                                {"networkNamespace", record.net_space},
                                {"undo", it.undo},
                                {"problem", it.problem},
                                {"bootFiles", std::move(files)}},
                           1)
           + "\n";
}

Result<Record> parse_record(std::string_view json, const std::string& path) {
    Record record;
    Pending& it = record.pending;
    try {
        const Json from = json_text::parse_ordered(json);
        if (from.at("schema") != schema)
            return Error{Errc::invalid, fmt::format("{} is of another version of wgkit", path), {}};
        it.name = from.at("name");
        it.summary = from.at("summary");
        it.state = state_named(from.at("state"));
        it.armed = BootTime(from.at("armed").get<std::int64_t>());
        it.deadline = BootTime(from.at("deadline").get<std::int64_t>());
        record.net_space = from.at("networkNamespace");
        it.undo = from.at("undo").get<std::vector<std::string>>();
        it.problem = from.at("problem");
        for (const auto& file : from.at("bootFiles")) {
            record.files.push_back({file.at("path"), file.at("mode"), file.at("before")});
            it.boot_files.push_back(file.at("path"));
        }
    } catch (const Json::exception&) {
        return Error{Errc::invalid, fmt::format("{} is no record of a change", path), {}};
    }
    if (it.undo.empty())
        return Error{Errc::invalid, fmt::format("{} does not tell how to undo", path), {}};
    return record;
}

std::string changes_folder() {
    const char* own = std::getenv("WGKIT_CONFIRM_DIR");
    return own != nullptr && *own != '\0' ? own : "/run/wgkit/confirm";
}

Result<void> check_name(const std::string& name) {
    const bool good = !name.empty() && name.size() <= longest_name && name.front() != '.'
                      && std::all_of(name.begin(), name.end(), [](char c) {
                             return ascii::is_alnum(c)
                                    || std::string_view("_=+.-@").find(c) != std::string_view::npos;
                         });
    if (good) return {};
    return Error{Errc::invalid, fmt::format("{} cannot be the name of a change", name),
                 "1 to 64 letters, digits or any of _=+.-@, not beginning with a dot"};
}

std::string fingerprint(const std::string& path) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) return "none";
    return fmt::format("{}:{}:{}.{}", file.st_ino, file.st_size, file.st_mtim.tv_sec,
                       file.st_mtim.tv_nsec);
}

Place::Place(std::string name)
    : name_(std::move(name)), folder_(fmt::format("{}/{}", changes_folder(), name_)) {}

std::string Place::staged(std::size_t number) const {
    return fmt::format("{}/boot-{}", folder_, number);
}

Result<UniqueFd> Place::lock(bool wait) const {
    // Beside the folder, which comes and goes.
    auto fd = lock_file(fmt::format("{}/.{}.lock", changes_folder(), name_),
                        wait ? Waiting::yes : Waiting::no);
    if (!fd && fd.error().code == Errc::not_found)
        return Error{Errc::not_found, fmt::format("no change {} is pending", name_), {}};
    if (!fd && fd.error().code == Errc::conflict)
        return Error{
            Errc::conflict, fmt::format("{} is being confirmed or undone right now", name_), {}};
    return fd;
}

Result<UniqueFd> Place::lock_watch() const {
    auto fd = lock_file(folder_ + "/watcher", Waiting::no);
    if (!fd && fd.error().code == Errc::conflict)
        return Error{Errc::conflict, fmt::format("{} is being watched already", name_), {}};
    return fd;
}

bool Place::is_watched() const {
    const auto lock = lock_existing(folder_ + "/watcher", Waiting::no);
    return !lock && lock.error().code == Errc::conflict;
}

Result<std::optional<Record>> Place::read() const {
    const std::string path = folder_ + "/record";
    const auto text = files::read(path);
    if (!text) {
        if (text.error().code == Errc::not_found) return std::optional<Record>();
        return text.error();
    }
    auto record = parse_record(*text, path);
    if (!record) return record.error();
    record->pending.is_watched = is_watched();
    return std::optional<Record>(*std::move(record));
}

Result<void> Place::write(const Record& record) const {
    return files::replace(folder_ + "/record", to_json(record), 0600);
}

Result<void> Place::remove() const {
    const std::string record = folder_ + "/record";
    if (::unlink(record.c_str()) != 0 && errno != ENOENT) return errno_error(record);
    std::error_code failed;
    std::filesystem::remove_all(folder_, failed);
    if (failed) return errno_error(folder_, failed.value());
    return {};
}

} // namespace wgkit::confirm
