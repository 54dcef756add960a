// From the spool to the receivers.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <thread>

#include "alert/event_json.hpp"
#include "alert/payload.hpp"
#include "alert/retry.hpp"
#include "alert/spool_state.hpp"
#include "util/child.hpp"
#include "util/file_lock.hpp"

namespace wgkit {

namespace alert {

namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

std::int64_t wall_ms() {
    return std::chrono::duration_cast<milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

AlertTime wall() {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// Messages that were or will be sent together.
struct Work {
    Batch batch;
    std::vector<std::int64_t> ids;
    std::uint32_t attempts = 0;
    bool maybe_arrived = false;
};

struct Destination {
    const AlertTarget* target = nullptr;
    std::size_t url = 0;
    std::string name;
    Traits traits;
    AlertTargetState state;
    std::int64_t not_before_ms = 0;
    bool changed = false; ///< the state, since it was stored
    std::deque<Work> queue;
    std::size_t under_way = 0;
    Steady::time_point next_start{};
};

class Delivery {
  public:
    Delivery(Database& database, const AlertConfig& config, HttpPoster& poster,
             Steady::time_point deadline)
        : database_(database), config_(config), poster_(poster), deadline_(deadline) {
        std::array<char, 256> host{};
        ::gethostname(host.data(), host.size() - 1);
        source_ = config.source.empty() ? host.data() : config.source;
    }

    Result<AlertsFlushed> run() {
        auto prepared = prepare();
        if (!prepared) return std::move(prepared).error();
        std::vector<std::pair<std::uint64_t, HttpAnswer>> answers;
        while (true) {
            auto turned = turn(answers);
            if (!turned) return std::move(turned).error();
            if (under_way_.empty()) {
                const auto next = next_due();
                if (!next || *next >= deadline_) break;
                std::this_thread::sleep_until(*next);
                answers.clear();
                continue;
            }
            answers = poster_.wait(wait_time());
            if (answers.empty() && Steady::now() >= deadline_ + milliseconds(1500)) {
                poster_.cancel();
                for (const auto& [id, work] : under_way_) {
                    HttpAnswer none;
                    none.outcome = HttpOutcome::unknown;
                    none.error = "no answer before the deadline";
                    answers.emplace_back(id, std::move(none));
                }
            }
        }
        if (auto left = count_left(); !left) return std::move(left).error();
        return std::move(done_);
    }

  private:
    static constexpr std::int64_t horizon_ms = 25LL * 3600 * 1000; ///< beyond it: the clock was set

    Result<void> prepare() {
        for (const auto& target : config_.targets)
            for (std::size_t url = 0; url < std::max<std::size_t>(1, target.urls.size()); ++url) {
                Destination one;
                one.target = &target;
                one.url = url;
                one.name = destination(target, url);
                one.traits = traits_of(target);
                one.state.name = one.name;
                destinations_.push_back(std::move(one));
            }
        auto transaction = Transaction::begin(database_);
        if (!transaction) return std::move(transaction).error();
        auto states = load_states();
        if (!states) return states;
        // What was under way when a process died may have arrived.
        for (const auto& one : destinations_) {
            auto lost = database_.prepare(
                one.target->at_most_once
                    ? "DELETE FROM outbox WHERE target = ? AND sent = 1"
                    : "UPDATE outbox SET sent = 0, unknown = 1 WHERE target = ? AND sent = 1");
            if (!lost) return std::move(lost).error();
            auto done = lost->bind(one.name).done();
            if (!done) return done;
            if (one.target->at_most_once && database_.changed() != 0)
                problem(one, fmt::format("{} messages may have arrived and are not sent again",
                                         database_.changed()));
        }
        auto dropped = drop_excess(database_, config_, wall());
        if (!dropped) return std::move(dropped).error();
        auto committed = transaction->commit();
        if (!committed) return committed;
        return load_states(); // with what was dropped now
    }

    Result<void> load_states() {
        auto query =
            database_.prepare("SELECT name, disabled, not_before, failures, dropped FROM target");
        if (!query) return std::move(query).error();
        while (true) {
            auto row = query->step();
            if (!row) return std::move(row).error();
            if (!*row) break;
            const auto name = query->text(0);
            for (auto& one : destinations_) {
                if (one.name != name) continue;
                one.state.disabled = query->text(1);
                one.not_before_ms = query->number(2);
                one.state.failures = static_cast<std::uint32_t>(query->number(3));
                one.state.dropped = static_cast<std::uint64_t>(query->number(4));
                if (one.not_before_ms > wall_ms() + horizon_ms) one.not_before_ms = 0;
            }
        }
        return {};
    }

    /// Stores what the answers mean and marks what is sent next, in one transaction; then sends it.
    Result<void> turn(std::vector<std::pair<std::uint64_t, HttpAnswer>>& answers) {
        std::vector<std::pair<Destination*, Work>> started;
        {
            auto transaction = Transaction::begin(database_);
            if (!transaction) return std::move(transaction).error();
            for (auto& [id, answer] : answers) {
                const auto found = under_way_.find(id);
                if (found == under_way_.end()) continue;
                auto [to, work] = std::move(found->second);
                under_way_.erase(found);
                --to->under_way;
                auto stored = store(*to, work, judge(answer, wall()));
                if (!stored) return stored;
            }
            for (auto& one : destinations_) {
                while (auto* work = next_work(one)) {
                    auto marked = mark(*work);
                    if (!marked) return marked;
                    started.emplace_back(&one, std::move(*work));
                    one.queue.pop_front();
                    one.under_way++;
                    one.next_start = Steady::now() + one.traits.pace;
                }
                if (!failure_) continue;
                return *failure_;
            }
            auto committed = transaction->commit();
            if (!committed) return committed;
        }
        answers.clear();
        for (auto& [to, work] : started) {
            auto sent = send(*to, std::move(work));
            if (!sent) return sent;
        }
        return {};
    }

    bool may_start(const Destination& one) const {
        return one.state.disabled.empty() && one.not_before_ms <= wall_ms()
               && one.under_way < one.traits.parallel && Steady::now() >= one.next_start
               && Steady::now() < deadline_;
    }

    Work* next_work(Destination& one) {
        if (!may_start(one)) return nullptr;
        if (one.queue.empty()) {
            auto filled = fill(one);
            if (!filled) failure_ = std::move(filled).error();
        }
        return one.queue.empty() ? nullptr : &one.queue.front();
    }

    /// Loads what is due: of each key its first message, the worst first.
    Result<void> fill(Destination& one) {
        constexpr const char* columns = "id, kind, event, attempts, batch, alone, unknown";
        auto query = database_.prepare(fmt::format(
            "SELECT {} FROM outbox o WHERE target = ?1 AND (next_attempt <= ?2 OR next_attempt > "
            "?3) AND sent = 0 AND NOT EXISTS(SELECT 1 FROM outbox p WHERE p.target = o.target AND "
            "p.key = o.key AND p.id < o.id) ORDER BY severity DESC, id LIMIT 256",
            columns));
        auto whole =
            database_.prepare(fmt::format("SELECT {} FROM outbox WHERE batch = ? AND target = ? "
                                          "ORDER BY id",
                                          columns));
        if (!query) return std::move(query).error();
        if (!whole) return std::move(whole).error();
        query->bind(one.name).bind(wall_ms()).bind(wall_ms() + horizon_ms);
        std::vector<std::string> batches;
        Work fresh;
        const auto close = [&] {
            if (fresh.ids.empty()) return;
            fresh.batch.id = new_id();
            one.queue.push_back(std::move(fresh));
            fresh = {};
        };
        while (true) {
            auto row = query->step();
            if (!row) return std::move(row).error();
            if (!*row) break;
            const auto batch = query->text(4);
            if (batch.empty()) {
                const bool alone = query->number(5) != 0;
                if (alone) close();
                add(fresh, *query);
                if (alone || fresh.ids.size() >= one.traits.batch) close();
            } else if (std::find(batches.begin(), batches.end(), batch) == batches.end()) {
                batches.push_back(batch);
                Work again;
                again.batch.id = batch;
                whole->bind(batch).bind(one.name);
                while (true) {
                    auto part = whole->step();
                    if (!part) return std::move(part).error();
                    if (!*part) break;
                    add(again, *whole);
                }
                whole->reset();
                one.queue.push_back(std::move(again));
            }
        }
        close();
        return {};
    }

    static void add(Work& work, const Statement& row) {
        auto event = event_from_json(row.text(2));
        work.ids.push_back(row.number(0));
        work.batch.messages.push_back({event ? *std::move(event) : AlertEvent{}, row.text(1)});
        work.attempts = std::max(work.attempts, static_cast<std::uint32_t>(row.number(3)));
        work.maybe_arrived = work.maybe_arrived || row.number(6) != 0;
    }

    std::string new_id() { return fmt::format("msg_{:016x}{:016x}", random_(), random_()); }

    Result<void> mark(Work& work) {
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

    Result<void> send(Destination& to, Work work) {
        Batch& batch = work.batch;
        batch.perhaps_repeated = work.maybe_arrived && !to.traits.tells_repetitions;
        batch.dropped = to.state.dropped;
        batch.source = source_;
        batch.now = wall();
        batch.repeat = config_.repeat;
        auto outgoing = make_outgoing(*to.target, to.url, batch);
        if (!outgoing) {
            Judgement wrong;
            wrong.whole_target = true;
            wrong.why = outgoing.error().message;
            --to.under_way;
            return store_now(to, work, wrong);
        }
        ++done_.requests;
        const auto left = std::chrono::duration_cast<milliseconds>(deadline_ - Steady::now());
        const auto timeout =
            std::clamp<milliseconds>(left, milliseconds(1000), milliseconds(to.target->timeout));
        if (!outgoing->http) {
            --to.under_way;
            return store_now(to, work, run_program(*outgoing, timeout));
        }
        outgoing->http->timeout = timeout;
        const auto id = ++last_request_;
        poster_.start(id, *std::move(outgoing->http));
        under_way_.emplace(id, std::pair(&to, std::move(work)));
        return {};
    }

    static Judgement run_program(const Outgoing& outgoing, milliseconds timeout) {
        Judgement result;
        const auto end = run_child(outgoing.command, outgoing.input, timeout);
        if (!end) {
            result.whole_target = true;
            result.why = end.error().message;
        } else if (end->timed_out) {
            result.verdict = Verdict::unknown;
            result.why = fmt::format("{} did not end in time", outgoing.command.front());
        } else if (end->status == 0) {
            result.verdict = Verdict::taken;
        } else {
            result.whole_target = true;
            result.why = fmt::format("{} ended with status {}: {}", outgoing.command.front(),
                                     end->status, cut(clean(end->errors), 160, Unit::code_points));
        }
        return result;
    }

    Result<void> store_now(Destination& to, const Work& work, const Judgement& judgement) {
        auto transaction = Transaction::begin(database_);
        if (!transaction) return std::move(transaction).error();
        auto stored = store(to, work, judgement);
        return stored ? transaction->commit() : stored;
    }

    void problem(const Destination& to, std::string_view why) {
        auto text = fmt::format("{}: {}", to.name, why);
        if (std::find(done_.problems.begin(), done_.problems.end(), text) == done_.problems.end()
            && done_.problems.size() < 100)
            done_.problems.push_back(std::move(text));
    }

    double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

    /// So many failures in a row mean that it is the target, not a message.
    static constexpr std::uint32_t patience = 10;

    Result<void> store(Destination& to, const Work& work, const Judgement& judgement) {
        const auto count = work.ids.size();
        if (judgement.verdict != Verdict::taken) problem(to, judgement.why);
        auto& state = to.state;
        switch (judgement.verdict) {
        case Verdict::taken: {
            done_.delivered += count;
            if (work.maybe_arrived) done_.repeated += count;
            auto removed = each("DELETE FROM outbox WHERE id = ?", work);
            if (!removed || (state.failures == 0 && work.batch.dropped == 0)) return removed;
            state.failures = 0;
            to.not_before_ms = 0;
            state.dropped -= std::min(state.dropped, work.batch.dropped);
            return store_state(to, work.batch.dropped);
        }
        case Verdict::refused:
            if (count > 1) // which of them is at fault only shows when they go one by one
                return each("UPDATE outbox SET sent = 0, batch = '', alone = 1 WHERE id = ?", work);
            ++done_.refused;
            return each("DELETE FROM outbox WHERE id = ?", work);
        case Verdict::disabled: {
            state.disabled = judgement.why;
            auto stored = store_state(to, 0);
            return stored ? each("UPDATE outbox SET sent = 0 WHERE id = ?", work) : stored;
        }
        case Verdict::unknown:
            if (to.target->at_most_once) {
                ++done_.refused;
                return each("DELETE FROM outbox WHERE id = ?", work);
            }
            break;
        case Verdict::later:
            break;
        }
        ++state.failures;
        const auto asked = judgement.after.value_or(milliseconds(0));
        if (judgement.whole_target || state.failures >= patience) {
            const auto failures =
                judgement.whole_target ? state.failures : state.failures - patience + 1;
            to.not_before_ms =
                wall_ms() + std::max(asked, backoff(config_, failures, chance())).count();
            to.queue.clear();
        }
        auto stored = store_state(to, 0);
        if (!stored) return stored;
        const auto wait = judgement.whole_target
                              ? milliseconds(0)
                              : std::max(asked, backoff(config_, work.attempts, chance()));
        auto update = database_.prepare("UPDATE outbox SET sent = 0, next_attempt = ?, error = ?, "
                                        "unknown = max(unknown, ?) WHERE id = ?");
        if (!update) return std::move(update).error();
        for (const auto id : work.ids) {
            auto done = update->bind(wall_ms() + wait.count())
                            .bind(judgement.why)
                            .bind(judgement.verdict == Verdict::unknown)
                            .bind(id)
                            .done();
            if (!done) return done;
        }
        return {};
    }

    Result<void> each(std::string_view sql, const Work& work) {
        auto statement = database_.prepare(sql);
        if (!statement) return std::move(statement).error();
        for (const auto id : work.ids) {
            auto done = statement->bind(id).done();
            if (!done) return done;
        }
        return {};
    }

    Result<void> store_state(Destination& to, std::uint64_t told_of_dropped) {
        auto update = database_.prepare(
            "INSERT INTO target(name, disabled, not_before, failures) VALUES(?1, ?2, ?3, ?4) ON "
            "CONFLICT(name) DO UPDATE SET disabled = ?2, not_before = ?3, failures = ?4, dropped = "
            "max(0, dropped - ?5)");
        if (!update) return std::move(update).error();
        return update->bind(to.name)
            .bind(to.state.disabled)
            .bind(to.not_before_ms)
            .bind(to.state.failures)
            .bind(static_cast<std::int64_t>(told_of_dropped))
            .done();
    }

    /// When something could be sent again; nothing if nothing waits.
    std::optional<Steady::time_point> next_due() {
        std::optional<Steady::time_point> next;
        for (auto& one : destinations_) {
            if (!one.state.disabled.empty()) continue;
            auto query = database_.prepare(
                "SELECT min(next_attempt) FROM outbox o WHERE target = ? AND NOT EXISTS(SELECT 1 "
                "FROM outbox p WHERE p.target = o.target AND p.key = o.key AND p.id < o.id)");
            if (!query || !query->bind(one.name).step().value_or(false)) continue;
            const auto due = query->number(0);
            if (due == 0) continue; // min() of nothing
            const auto wait = std::max(due, one.not_before_ms) - wall_ms();
            const auto at = std::max(Steady::now() + milliseconds(std::max<std::int64_t>(5, wait)),
                                     one.next_start);
            if (!next || at < *next) next = at;
        }
        return next;
    }

    /// Until a destination may send again, or an answer comes.
    milliseconds wait_time() {
        auto until = deadline_ + milliseconds(1500);
        for (const auto& one : destinations_) {
            if (!one.queue.empty() && one.under_way < one.traits.parallel
                && one.next_start > Steady::now())
                until = std::min(until, one.next_start);
        }
        const auto left = std::chrono::duration_cast<milliseconds>(until - Steady::now());
        return std::clamp(left, milliseconds(1), milliseconds(1000));
    }

    Result<void> count_left() {
        auto query = database_.prepare("SELECT target, count(*) FROM outbox GROUP BY target");
        if (!query) return std::move(query).error();
        while (true) {
            auto row = query->step();
            if (!row) return std::move(row).error();
            if (!*row) return {};
            const auto count = static_cast<std::size_t>(query->number(1));
            done_.waiting += count;
            const auto name = query->text(0);
            const auto found =
                std::find_if(destinations_.begin(), destinations_.end(),
                             [&](const Destination& one) { return one.name == name; });
            if (found == destinations_.end())
                done_.problems.push_back(fmt::format(
                    "{} messages wait for target '{}', which the configuration does not have",
                    count, name));
            else if (!found->state.disabled.empty())
                problem(*found, fmt::format("disabled: {}", found->state.disabled));
        }
    }

    Database& database_;
    const AlertConfig& config_;
    HttpPoster& poster_;
    Steady::time_point deadline_;
    std::string source_;
    std::vector<Destination> destinations_;
    std::map<std::uint64_t, std::pair<Destination*, Work>> under_way_;
    std::uint64_t last_request_ = 0;
    std::mt19937_64 random_{(std::uint64_t{std::random_device{}()} << 32) + std::random_device{}()};
    std::optional<Error> failure_;
    AlertsFlushed done_;
};

} // namespace

} // namespace alert

Result<AlertsFlushed> AlertSpool::flush(const AlertConfig& config, HttpPoster& poster,
                                        std::chrono::steady_clock::time_point deadline) {
    const std::string lock = state_->folder + "/flush.lock";
    const auto held = lock_file(lock, Waiting::no);
    if (!held && held.error().code == Errc::conflict)
        return Error{Errc::conflict, "another process delivers the alerts of this spool", {}};
    if (!held) return held.error();
    auto done = alert::Delivery(state_->database, config, poster, deadline).run();
    if (!done || config.heartbeat.empty() || !done->problems.empty()) return done;
    HttpRequest ping;
    ping.method = "GET";
    auto url = read_secret(config.heartbeat);
    if (!url) {
        done->problems.push_back(fmt::format("heartbeat: {}", url.error().message));
        return done;
    }
    ping.url = *std::move(url);
    ping.timeout = std::chrono::seconds(10);
    const auto answer = fetch(poster, std::move(ping));
    if (answer.outcome != HttpOutcome::answered)
        done->problems.push_back(fmt::format("heartbeat: {}", answer.error));
    else if (answer.status >= 300)
        done->problems.push_back(fmt::format("heartbeat: HTTP {}", answer.status));
    return done;
}

} // namespace wgkit
