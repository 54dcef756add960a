#include "alert/outbox.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "alert/event_json.hpp"

namespace wgkit::alert {

namespace {

constexpr const char* work_columns = "id, kind, event, attempts, batch, alone, unknown";

void add(Work& work, const Statement& row) {
    auto event = event_from_json(row.text(2));
    work.ids.push_back(row.number(0));
    work.batch.messages.push_back({event ? *std::move(event) : AlertEvent{}, row.text(1)});
    work.attempts = std::max(work.attempts, static_cast<std::uint32_t>(row.number(3)));
    work.maybe_arrived = work.maybe_arrived || row.number(6) != 0;
}

/// All rows of a batch that was sent before.
Result<Work> batch_again(Statement& rows, const std::string& batch) {
    Work again;
    again.batch.id = batch;
    while (true) {
        auto row = rows.step();
        if (!row) return std::move(row).error();
        if (!*row) break;
        add(again, rows);
    }
    rows.reset();
    return again;
}

} // namespace

std::int64_t wall_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Result<std::size_t> Outbox::reclaim(const std::string& destination, bool at_most_once) {
    auto lost = database_.prepare(
        at_most_once ? "DELETE FROM outbox WHERE target = ? AND sent = 1"
                     : "UPDATE outbox SET sent = 0, unknown = 1 WHERE target = ? AND sent = 1");
    if (!lost) return std::move(lost).error();
    auto done = lost->bind(destination).done();
    if (!done) return std::move(done).error();
    return at_most_once ? static_cast<std::size_t>(database_.changed()) : 0;
}

Result<std::deque<Work>> Outbox::due(const std::string& destination, std::size_t batch) {
    auto query = database_.prepare(fmt::format(
        "SELECT {} FROM outbox o WHERE target = ?1 AND (next_attempt <= ?2 OR next_attempt > "
        "?3) AND sent = 0 AND NOT EXISTS(SELECT 1 FROM outbox p WHERE p.target = o.target AND "
        "p.key = o.key AND p.id < o.id) ORDER BY severity DESC, id LIMIT 256",
        work_columns));
    auto whole = database_.prepare(fmt::format(
        "SELECT {} FROM outbox WHERE batch = ? AND target = ? ORDER BY id", work_columns));
    if (!query) return std::move(query).error();
    if (!whole) return std::move(whole).error();
    query->bind(destination).bind(wall_ms()).bind(wall_ms() + horizon_ms);
    std::deque<Work> queue;
    std::vector<std::string> batches;
    Work fresh;
    const auto close = [&] {
        if (fresh.ids.empty()) return;
        fresh.batch.id = new_id();
        queue.push_back(std::move(fresh));
        fresh = {};
    };
    while (true) {
        auto row = query->step();
        if (!row) return std::move(row).error();
        if (!*row) break;
        const auto sent_in = query->text(4);
        if (sent_in.empty()) {
            const bool alone = query->number(5) != 0;
            if (alone) close();
            add(fresh, *query);
            if (alone || fresh.ids.size() >= batch) close();
        } else if (std::find(batches.begin(), batches.end(), sent_in) == batches.end()) {
            batches.push_back(sent_in);
            whole->bind(sent_in).bind(destination);
            auto again = batch_again(*whole, sent_in);
            if (!again) return std::move(again).error();
            queue.push_back(*std::move(again));
        }
    }
    close();
    return queue;
}

Result<void> Outbox::mark(Work& work) {
    ++work.attempts;
    auto update = database_.prepare(
        "UPDATE outbox SET sent = 1, batch = ?, attempts = attempts + 1 WHERE id = ?");
    if (!update) return std::move(update).error();
    for (const auto id : work.ids) {
        auto done = update->bind(work.batch.id).bind(id).done();
        if (!done) return done;
    }
    return {};
}

Result<void> Outbox::remove(const Work& work) {
    return each("DELETE FROM outbox WHERE id = ?", work);
}

Result<void> Outbox::release(const Work& work) {
    return each("UPDATE outbox SET sent = 0 WHERE id = ?", work);
}

Result<void> Outbox::separate(const Work& work) {
    return each("UPDATE outbox SET sent = 0, batch = '', alone = 1 WHERE id = ?", work);
}

Result<void> Outbox::postpone(const Work& work, std::chrono::milliseconds wait,
                              std::string_view why, bool maybe_arrived) {
    auto update = database_.prepare("UPDATE outbox SET sent = 0, next_attempt = ?, error = ?, "
                                    "unknown = max(unknown, ?) WHERE id = ?");
    if (!update) return std::move(update).error();
    for (const auto id : work.ids) {
        auto done =
            update->bind(wall_ms() + wait.count()).bind(why).bind(maybe_arrived).bind(id).done();
        if (!done) return done;
    }
    return {};
}

std::optional<std::int64_t> Outbox::next_due(const std::string& destination) {
    auto query = database_.prepare(
        "SELECT min(next_attempt) FROM outbox o WHERE target = ? AND NOT EXISTS(SELECT 1 "
        "FROM outbox p WHERE p.target = o.target AND p.key = o.key AND p.id < o.id)");
    if (!query || !query->bind(destination).step().value_or(false)) return std::nullopt;
    const auto due = query->number(0);
    return due == 0 ? std::nullopt : std::optional(due); // min() of nothing
}

Result<std::vector<std::pair<std::string, std::size_t>>> Outbox::counts() {
    auto query = database_.prepare("SELECT target, count(*) FROM outbox GROUP BY target");
    if (!query) return std::move(query).error();
    std::vector<std::pair<std::string, std::size_t>> counts;
    while (true) {
        auto row = query->step();
        if (!row) return std::move(row).error();
        if (!*row) return counts;
        counts.emplace_back(query->text(0), static_cast<std::size_t>(query->number(1)));
    }
}

Result<void> Outbox::each(std::string_view sql, const Work& work) {
    auto statement = database_.prepare(sql);
    if (!statement) return std::move(statement).error();
    for (const auto id : work.ids) {
        auto done = statement->bind(id).done();
        if (!done) return done;
    }
    return {};
}

std::string Outbox::new_id() { return fmt::format("msg_{:016x}{:016x}", random_(), random_()); }

} // namespace wgkit::alert
