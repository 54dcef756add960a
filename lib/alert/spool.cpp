// The spool's file: opening, and what it can tell.
#include <fmt/format.h>

#include <cstdio>

#include "alert/event_json.hpp"
#include "alert/matching.hpp"
#include "alert/spool_state.hpp"
#include "util/json_text.hpp"
#include "wgkit/files.hpp"

namespace wgkit {

using alert::Database;

namespace {

constexpr std::string_view file_name = "alerts.db";

// outbox.batch: messages that were tried together stay together, so that a receiver that got them
// can tell a repetition. sent: an attempt is under way, or was when its process died.
constexpr const char* schema = R"(
CREATE TABLE IF NOT EXISTS incident(
  key TEXT PRIMARY KEY, event TEXT NOT NULL, firing INT NOT NULL, notified INT NOT NULL,
  flapping INT NOT NULL, told INT NOT NULL, last_notice INT NOT NULL, changes TEXT NOT NULL)
  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unsettled ON incident(key) WHERE flapping = 1 OR firing = 0;
CREATE TABLE IF NOT EXISTS outbox(
  id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, key TEXT NOT NULL,
  kind TEXT NOT NULL, severity INT NOT NULL, event TEXT NOT NULL, created INT NOT NULL,
  next_attempt INT NOT NULL, attempts INT NOT NULL DEFAULT 0, batch TEXT NOT NULL DEFAULT '',
  alone INT NOT NULL DEFAULT 0, sent INT NOT NULL DEFAULT 0, unknown INT NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS by_key ON outbox(target, key, id);
CREATE INDEX IF NOT EXISTS by_severity ON outbox(severity, id);
CREATE INDEX IF NOT EXISTS by_time ON outbox(target, next_attempt);
CREATE INDEX IF NOT EXISTS by_batch ON outbox(batch) WHERE batch <> '';
CREATE TABLE IF NOT EXISTS target(
  name TEXT PRIMARY KEY, disabled TEXT NOT NULL DEFAULT '', not_before INT NOT NULL DEFAULT 0,
  failures INT NOT NULL DEFAULT 0, dropped INT NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS silence(
  id INTEGER PRIMARY KEY AUTOINCREMENT, matches TEXT NOT NULL, until INT NOT NULL,
  comment TEXT NOT NULL);
PRAGMA user_version = 1;
)";

Result<Database> open_database(const std::string& path) {
    auto database = Database::open(path);
    if (!database) return database;
    std::int64_t version = 0;
    {
        auto asked = database->prepare("PRAGMA user_version");
        if (!asked) return std::move(asked).error();
        auto row = asked->step();
        if (!row) return std::move(row).error();
        version = asked->number(0);
    }
    if (version > 1)
        return Error{Errc::invalid, fmt::format("{} was written by a newer wgkit", path), {}};
    if (version == 0) {
        auto transaction = alert::Transaction::begin(*database);
        if (!transaction) return std::move(transaction).error();
        auto made = database->run(schema);
        if (made) made = transaction->commit();
        if (!made) return std::move(made).error();
    }
    return database;
}

/// An event that an older or damaged file holds: it must not stop the others.
AlertEvent event_of(const std::string& text) {
    auto event = alert::event_from_json(text);
    return event ? *std::move(event) : AlertEvent{};
}

} // namespace

std::string alert::destination(const AlertTarget& target, std::size_t url) {
    return url == 0 ? target.name : fmt::format("{}#{}", target.name, url + 1);
}

AlertSpool::AlertSpool(std::unique_ptr<State> state) : state_(std::move(state)) {}
AlertSpool::AlertSpool(AlertSpool&&) noexcept = default;
AlertSpool& AlertSpool::operator=(AlertSpool&&) noexcept = default;
AlertSpool::~AlertSpool() = default;

const std::string& AlertSpool::problem() const { return state_->problem; }

Result<AlertSpool> AlertSpool::open(const std::string& folder) {
    auto made = files::make_folders(folder, 0700);
    if (!made) return std::move(made).error();
    const std::string path = fmt::format("{}/{}", folder, file_name);
    auto database = open_database(path);
    std::string problem;
    if (!database && database.error().code == Errc::conflict) {
        const std::string aside = fmt::format(
            "{}.damaged-{}", path,
            std::chrono::system_clock::now().time_since_epoch().count() / 1'000'000'000);
        if (std::rename(path.c_str(), aside.c_str()) == 0) {
            static_cast<void>(std::remove((path + "-wal").c_str()));
            static_cast<void>(std::remove((path + "-shm").c_str()));
            problem = fmt::format("{} was damaged and is now {}; a new one was begun", path, aside);
            database = open_database(path);
        }
    }
    if (!database) return std::move(database).error();
    return AlertSpool(
        std::make_unique<State>(State{folder, *std::move(database), std::move(problem)}));
}

Result<std::vector<AlertWaiting>> AlertSpool::waiting() const {
    auto query = state_->database.prepare(
        "SELECT id, target, kind, event, created, next_attempt, attempts, sent + unknown, error "
        "FROM outbox ORDER BY id");
    if (!query) return std::move(query).error();
    std::vector<AlertWaiting> list;
    while (true) {
        auto row = query->step();
        if (!row) return std::move(row).error();
        if (!*row) return list;
        list.push_back({query->number(0), query->text(1), query->text(2), event_of(query->text(3)),
                        alert::time_of(query->number(4)), alert::time_of(query->number(5) / 1000),
                        static_cast<std::uint32_t>(query->number(6)), query->number(7) != 0,
                        query->text(8)});
    }
}

Result<std::vector<AlertIncident>> AlertSpool::incidents() const {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    auto quiet = silences(now);
    if (!quiet) return std::move(quiet).error();
    auto query = state_->database.prepare("SELECT event, notified, flapping, last_notice FROM "
                                          "incident WHERE firing = 1 OR flapping = 1 ORDER BY key");
    if (!query) return std::move(query).error();
    std::vector<AlertIncident> list;
    while (true) {
        auto row = query->step();
        if (!row) return std::move(row).error();
        if (!*row) return list;
        AlertIncident one{event_of(query->text(0)), query->number(1) != 0, query->number(2) != 0,
                          false, alert::time_of(query->number(3))};
        for (const auto& silence : *quiet)
            one.silenced = one.silenced || alert::matches(silence.matches, one.event);
        list.push_back(std::move(one));
    }
}

Result<std::vector<AlertTargetState>> AlertSpool::targets() const {
    auto query = state_->database.prepare(
        "SELECT name, disabled, not_before, failures, dropped FROM target ORDER BY name");
    if (!query) return std::move(query).error();
    std::vector<AlertTargetState> list;
    while (true) {
        auto row = query->step();
        if (!row) return std::move(row).error();
        if (!*row) return list;
        list.push_back({query->text(0), query->text(1), alert::time_of(query->number(2) / 1000),
                        static_cast<std::uint32_t>(query->number(3)),
                        static_cast<std::uint64_t>(query->number(4))});
    }
}

Result<std::vector<AlertSilence>> AlertSpool::silences(AlertTime now) const {
    auto query = state_->database.prepare(
        "SELECT id, matches, until, comment FROM silence WHERE until > ? ORDER BY id");
    if (!query) return std::move(query).error();
    query->bind(alert::number(now));
    std::vector<AlertSilence> list;
    while (true) {
        auto row = query->step();
        if (!row) return std::move(row).error();
        if (!*row) return list;
        AlertSilence one{query->number(0), {}, alert::time_of(query->number(2)), query->text(3)};
        const auto json = json_text::parse(query->text(1));
        if (!json.is_object()) continue;
        for (const auto& [name, value] : json.items())
            if (value.is_string()) one.matches[name] = value.get<std::string>();
        if (!one.matches.empty()) list.push_back(std::move(one));
    }
}

Result<std::int64_t> AlertSpool::add_silence(const AlertSilence& silence) {
    auto insert =
        state_->database.prepare("INSERT INTO silence(matches, until, comment) VALUES(?, ?, ?)");
    if (!insert) return std::move(insert).error();
    const auto matches = json_text::dump(nlohmann::json(silence.matches));
    auto added =
        insert->bind(matches).bind(alert::number(silence.until)).bind(silence.comment).done();
    if (!added) return std::move(added).error();
    return state_->database.last_id();
}

Result<void> AlertSpool::remove_silence(std::int64_t id) {
    auto remove = state_->database.prepare("DELETE FROM silence WHERE id = ?");
    if (!remove) return std::move(remove).error();
    auto removed = remove->bind(id).done();
    if (removed && state_->database.changed() == 0)
        return Error{Errc::not_found, fmt::format("there is no silence {}", id),
                     "wgkit alert list shows them"};
    return removed;
}

Result<void> AlertSpool::enable_target(const std::string& name) {
    auto update = state_->database.prepare("UPDATE target SET disabled = '', not_before = 0, "
                                           "failures = 0 WHERE name = ?1 OR name LIKE ?1 || '#%'");
    if (!update) return std::move(update).error();
    auto updated = update->bind(name).done();
    if (updated && state_->database.changed() == 0)
        return Error{Errc::not_found, fmt::format("no target '{}' has had trouble", name), {}};
    return updated;
}

} // namespace wgkit
