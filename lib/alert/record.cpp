// From events to messages in the spool.
#include <fmt/format.h>

#include <array>
#include <unordered_set>

#include "alert/event_json.hpp"
#include "alert/incident.hpp"
#include "alert/matching.hpp"
#include "alert/spool_state.hpp"
#include "util/json_text.hpp"

namespace wgkit {

using alert::Database;
using alert::Incident;
using alert::Notice;
using alert::Statement;

namespace {

std::string_view word_of(Notice notice) {
    switch (notice) {
    case Notice::firing:
        return "firing";
    case Notice::repeat:
        return "repeat";
    case Notice::resolved:
        return "resolved";
    case Notice::flapping:
        return "flapping";
    }
    return "";
}

/// The statements of one record().
class Recorder {
  public:
    static Result<Recorder> make(Database& database, const AlertConfig& config, AlertTime now) {
        constexpr std::array<const char*, 7> texts{
            "SELECT event, firing, notified, flapping, told, last_notice, changes FROM incident "
            "WHERE key = ?",
            "INSERT OR REPLACE INTO incident(key, event, firing, notified, flapping, told, "
            "last_notice, changes) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            "DELETE FROM incident WHERE key = ?",
            // What was never tried can still change: nobody has seen it.
            "SELECT id, kind FROM outbox WHERE target = ? AND key = ? AND attempts = 0 "
            "ORDER BY id DESC LIMIT 1",
            "UPDATE outbox SET kind = ?, event = ?, severity = max(severity, ?) WHERE id = ?",
            "INSERT INTO outbox(target, key, kind, severity, event, created, next_attempt) "
            "VALUES(?, ?, ?, ?, ?, ?, ?)",
            "DELETE FROM outbox WHERE id = ?",
        };
        std::vector<Statement> statements;
        for (const auto* text : texts) {
            auto statement = database.prepare(text);
            if (!statement) return std::move(statement).error();
            statements.push_back(*std::move(statement));
        }
        return Recorder(config, now, std::move(statements));
    }

    Result<void> take(const std::string& key, const AlertEvent* report,
                      const std::vector<AlertSilence>& silences) {
        auto before = load(key);
        if (!before) return std::move(before).error();
        const auto& labelled = report != nullptr && !report->resolved_at ? *report
                               : *before                                 ? (*before)->event
                               : report != nullptr                       ? *report
                                                                         : AlertEvent{};
        bool silenced = false;
        for (const auto& silence : silences)
            silenced = silenced || alert::matches(silence.matches, labelled);
        const alert::Policy policy{config_->repeat, config_->flap_changes, config_->flap_window};
        auto stepped = alert::step(*before, report, policy, silenced, now_);
        if (stepped.held_back) ++done.silenced;
        auto stored = stepped.keep ? store(key, stepped.after) : forget(key, *before);
        if (!stored || !stepped.notice) return stored;
        return tell(*stepped.notice, stepped.after.event, *before);
    }

    AlertsRecorded done;

  private:
    enum Which : std::size_t { load_, store_, forget_, untried_, change_, insert_, withdraw_ };

    Recorder(const AlertConfig& config, AlertTime now, std::vector<Statement> statements)
        : config_(&config), now_(now), statements_(std::move(statements)) {}

    Result<std::optional<Incident>> load(const std::string& key) {
        Statement& query = statements_[load_];
        auto row = query.bind(key).step();
        if (!row) return std::move(row).error();
        std::optional<Incident> found;
        if (*row) {
            if (auto event = alert::event_from_json(query.text(0))) {
                found.emplace();
                found->event = *std::move(event);
                found->firing = query.number(1) != 0;
                found->notified = query.number(2) != 0;
                found->flapping = query.number(3) != 0;
                found->told = static_cast<AlertSeverity>(query.number(4));
                found->last_notice = alert::time_of(query.number(5));
                const auto changes = json_text::parse(query.text(6));
                for (const auto& change : changes)
                    if (change.is_number_integer())
                        found->changes.push_back(alert::time_of(change.get<std::int64_t>()));
            }
        }
        query.reset();
        return found;
    }

    Result<void> store(const std::string& key, const Incident& incident) {
        nlohmann::json changes = nlohmann::json::array();
        for (const auto& change : incident.changes) changes.push_back(alert::number(change));
        return statements_[store_]
            .bind(key)
            .bind(alert::to_json_text(incident.event))
            .bind(incident.firing)
            .bind(incident.notified)
            .bind(incident.flapping)
            .bind(static_cast<std::int64_t>(incident.told))
            .bind(alert::number(incident.last_notice))
            .bind(json_text::dump(changes))
            .done();
    }

    Result<void> forget(const std::string& key, const std::optional<Incident>& before) {
        if (!before) return {};
        return statements_[forget_].bind(key).done();
    }

    Result<void> tell(Notice notice, const AlertEvent& event,
                      const std::optional<Incident>& before) {
        for (const auto* target : alert::targets_of(*config_, event)) {
            const bool over = notice == Notice::resolved;
            for (std::size_t url = 0; url < std::max<std::size_t>(1, target->urls.size()); ++url) {
                const auto to = alert::destination(*target, url);
                if (over && !target->send_resolved) {
                    auto removed = withdraw(to, event.key);
                    if (!removed) return removed;
                    continue;
                }
                // Alertmanager knows alerts by their labels: one whose labels change is another.
                const bool by_labels = target->type == AlertTargetType::alertmanager;
                if (by_labels && notice == Notice::firing && before && before->notified
                    && (before->event.labels != event.labels || before->event.type != event.type
                        || before->event.severity != event.severity)) {
                    AlertEvent old = before->event;
                    old.resolved_at = now_;
                    auto ended = put(to, "resolved", old);
                    if (!ended) return ended;
                }
                auto spooled = spool(to, notice, event);
                if (!spooled) return spooled;
            }
        }
        return {};
    }

    /// The newest message about the key that was never tried.
    Result<std::optional<std::pair<std::int64_t, std::string>>> untried(const std::string& to,
                                                                        const std::string& key) {
        Statement& query = statements_[untried_];
        auto row = query.bind(to).bind(key).step();
        if (!row) return std::move(row).error();
        std::optional<std::pair<std::int64_t, std::string>> found;
        if (*row) found.emplace(query.number(0), query.text(1));
        query.reset();
        return found;
    }

    Result<void> change(std::int64_t id, std::string_view kind, const AlertEvent& event) {
        ++done.merged;
        return statements_[change_]
            .bind(kind)
            .bind(alert::to_json_text(event))
            .bind(static_cast<std::int64_t>(event.severity))
            .bind(id)
            .done();
    }

    Result<void> put(const std::string& to, std::string_view kind, const AlertEvent& event) {
        ++done.spooled;
        return statements_[insert_]
            .bind(to)
            .bind(event.key)
            .bind(kind)
            .bind(static_cast<std::int64_t>(event.severity))
            .bind(alert::to_json_text(event))
            .bind(alert::number(now_))
            .bind(alert::number(now_) * 1000)
            .done();
    }

    /// One message, or a change of one that waits: down and up again becomes "was down".
    Result<void> spool(const std::string& to, Notice notice, const AlertEvent& event) {
        auto waiting = untried(to, event.key);
        if (!waiting) return std::move(waiting).error();
        if (!*waiting) return put(to, word_of(notice), event);
        const auto& [id, kind] = **waiting;
        const bool untold = kind == "firing";
        switch (notice) {
        case Notice::resolved:
            if (untold) return change(id, "blip", event);
            if (kind == "repeat") return change(id, "resolved", event);
            break;
        case Notice::firing:
            if (untold || kind == "repeat") return change(id, "firing", event);
            break;
        case Notice::repeat:
            if (untold || kind == "repeat") return change(id, kind, event);
            break;
        case Notice::flapping:
            break;
        }
        return put(to, word_of(notice), event);
    }

    /// What the target would only learn of now that it is over.
    Result<void> withdraw(const std::string& to, const std::string& key) {
        auto waiting = untried(to, key);
        if (!waiting) return std::move(waiting).error();
        if (!*waiting) return {};
        if ((*waiting)->second != "firing" && (*waiting)->second != "repeat") return {};
        ++done.merged;
        return statements_[withdraw_].bind((*waiting)->first).done();
    }

    const AlertConfig* config_;
    AlertTime now_;
    std::vector<Statement> statements_;
};

/// Keys that change by time alone: flapping ones settle, old ones are forgotten.
Result<std::vector<std::string>> unsettled(const Database& database) {
    auto query =
        database.prepare("SELECT key FROM incident WHERE flapping = 1 OR firing = 0 ORDER BY key");
    if (!query) return std::move(query).error();
    std::vector<std::string> keys;
    while (true) {
        auto row = query->step();
        if (!row) return std::move(row).error();
        if (!*row) return keys;
        keys.push_back(query->text(0));
    }
}

} // namespace

Result<std::size_t> alert::drop_excess(Database& database, const AlertConfig& config,
                                       AlertTime now) {
    auto count = database.prepare("SELECT count(*) FROM outbox");
    if (!count) return std::move(count).error();
    auto row = count->step();
    if (!row) return std::move(row).error();
    const auto waiting = count->number(0);
    count->reset();
    const auto excess = waiting - static_cast<std::int64_t>(config.max_messages);
    const auto oldest = alert::number(now - config.max_age);
    // The list is used twice: to count for each target, and to delete.
    constexpr std::string_view chosen =
        "id IN (SELECT id FROM (SELECT id FROM outbox WHERE sent = 0 ORDER BY severity, id LIMIT "
        "?1)"
        " UNION SELECT id FROM outbox WHERE sent = 0 AND created < ?2)";
    auto note = database.prepare(fmt::format(
        "INSERT INTO target(name, dropped) SELECT target, count(*) FROM outbox WHERE {} GROUP BY "
        "target ON CONFLICT(name) DO UPDATE SET dropped = dropped + excluded.dropped",
        chosen));
    auto remove = database.prepare(fmt::format("DELETE FROM outbox WHERE {}", chosen));
    if (!note) return std::move(note).error();
    if (!remove) return std::move(remove).error();
    const std::int64_t limit = excess > 0 ? excess : 0;
    auto done = note->bind(limit).bind(oldest).done();
    if (done) done = remove->bind(limit).bind(oldest).done();
    if (!done) return std::move(done).error();
    return static_cast<std::size_t>(database.changed());
}

Result<AlertsRecorded> AlertSpool::record(const AlertConfig& config,
                                          std::span<const AlertEvent> events, AlertTime now) {
    Database& database = state_->database;
    auto transaction = alert::Transaction::begin(database);
    if (!transaction) return std::move(transaction).error();
    auto quiet = silences(now);
    if (!quiet) return std::move(quiet).error();
    auto open_keys = unsettled(database);
    if (!open_keys) return std::move(open_keys).error();
    auto recorder = Recorder::make(database, config, now);
    if (!recorder) return std::move(recorder).error();
    std::unordered_set<std::string_view> reported;
    for (const auto& event : events) {
        reported.insert(event.key);
        auto taken = recorder->take(event.key, &event, *quiet);
        if (!taken) return std::move(taken).error();
    }
    for (const auto& key : *open_keys) {
        if (reported.count(key) != 0) continue;
        auto taken = recorder->take(key, nullptr, *quiet);
        if (!taken) return std::move(taken).error();
    }
    auto dropped = alert::drop_excess(database, config, now);
    if (!dropped) return std::move(dropped).error();
    AlertsRecorded done = recorder->done;
    done.dropped = *dropped;
    auto committed = transaction->commit();
    if (!committed) return std::move(committed).error();
    return done;
}

} // namespace wgkit
