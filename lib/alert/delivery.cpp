#include "alert/delivery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "alert/spool_state.hpp"
#include "alert/text.hpp"
#include "util/child.hpp"
#include "util/host_name.hpp"

namespace wgkit::alert {

namespace {

using std::chrono::milliseconds;

/// So many failures in a row mean that it is the target, not a message.
constexpr std::uint32_t patience = 10;
/// How long after the deadline answers to what is under way are waited for.
constexpr milliseconds last_wait{1500};

AlertTime wall() {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

Judgement run_program(const Outgoing& outgoing, milliseconds timeout) {
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

} // namespace

Delivery::Delivery(Database& database, const AlertConfig& config, HttpPoster& poster,
                   Steady::time_point deadline)
    : database_(database), config_(config), poster_(poster), deadline_(deadline),
      outbox_(database) {
    source_ = config.source.empty() ? host_name() : config.source;
}

Result<AlertsFlushed> Delivery::run() {
    auto prepared = prepare();
    if (!prepared) return std::move(prepared).error();
    Answers answers;
    while (true) {
        auto turned = turn(answers);
        if (!turned) return std::move(turned).error();
        if (under_way_.empty()) {
            const auto next = next_due();
            if (!next || *next >= deadline_) break;
            std::this_thread::sleep_until(*next);
            continue;
        }
        answers = poster_.wait(wait_time());
        if (answers.empty() && Steady::now() >= deadline_ + last_wait) answers = abandon();
    }
    if (auto left = count_left(); !left) return std::move(left).error();
    return std::move(done_);
}

Result<void> Delivery::prepare() {
    destinations_ = destinations_of(config_);
    auto transaction = Transaction::begin(database_);
    if (!transaction) return std::move(transaction).error();
    for (const auto& one : destinations_) {
        auto lost = outbox_.reclaim(one.name, one.target->at_most_once);
        if (!lost) return std::move(lost).error();
        if (*lost != 0)
            problem(one, fmt::format("{} messages may have arrived and are not sent again", *lost));
    }
    auto dropped = drop_excess(database_, config_, wall());
    if (!dropped) return std::move(dropped).error();
    auto committed = transaction->commit();
    if (!committed) return committed;
    return load_states(database_, destinations_);
}

Result<void> Delivery::turn(Answers& answers) {
    auto transaction = Transaction::begin(database_);
    if (!transaction) return std::move(transaction).error();
    auto stored = store_answers(answers);
    if (!stored) return stored;
    auto started = choose();
    if (!started) return std::move(started).error();
    auto committed = transaction->commit();
    if (!committed) return committed;
    for (auto& [to, work] : *started) {
        auto sent = send(*to, std::move(work));
        if (!sent) return sent;
    }
    return {};
}

Result<void> Delivery::store_answers(Answers& answers) {
    for (auto& [id, answer] : answers) {
        const auto found = under_way_.find(id);
        if (found == under_way_.end()) continue;
        auto [to, work] = std::move(found->second);
        under_way_.erase(found);
        --to->under_way;
        auto stored = store(*to, work, judge(answer, wall()));
        if (!stored) return stored;
    }
    answers.clear();
    return {};
}

Result<std::vector<std::pair<Destination*, Work>>> Delivery::choose() {
    std::vector<std::pair<Destination*, Work>> started;
    for (auto& one : destinations_) {
        while (may_start(one)) {
            if (one.queue.empty()) {
                auto due = outbox_.due(one.name, one.traits.batch);
                if (!due) return std::move(due).error();
                one.queue = *std::move(due);
            }
            if (one.queue.empty()) break;
            auto marked = outbox_.mark(one.queue.front());
            if (!marked) return std::move(marked).error();
            started.emplace_back(&one, std::move(one.queue.front()));
            one.queue.pop_front();
            one.under_way++;
            one.next_start = Steady::now() + one.traits.pace;
        }
    }
    return started;
}

bool Delivery::may_start(const Destination& one) const {
    return one.state.disabled.empty() && one.not_before_ms <= wall_ms()
           && one.under_way < one.traits.parallel && Steady::now() >= one.next_start
           && Steady::now() < deadline_;
}

Result<void> Delivery::send(Destination& to, Work work) {
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

Result<void> Delivery::store_now(Destination& to, const Work& work, const Judgement& judgement) {
    auto transaction = Transaction::begin(database_);
    if (!transaction) return std::move(transaction).error();
    auto stored = store(to, work, judgement);
    return stored ? transaction->commit() : stored;
}

Result<void> Delivery::store(Destination& to, const Work& work, const Judgement& judgement) {
    if (judgement.verdict != Verdict::taken) problem(to, judgement.why);
    switch (judgement.verdict) {
    case Verdict::taken:
        return store_taken(to, work);
    case Verdict::refused:
        if (work.ids.size() > 1) // which of them is at fault only shows when they go one by one
            return outbox_.separate(work);
        ++done_.refused;
        return outbox_.remove(work);
    case Verdict::disabled: {
        to.state.disabled = judgement.why;
        auto stored = store_state(database_, to, 0);
        return stored ? outbox_.release(work) : stored;
    }
    case Verdict::unknown:
        if (!to.target->at_most_once) break;
        ++done_.refused;
        return outbox_.remove(work);
    case Verdict::later:
        break;
    }
    return store_failure(to, work, judgement);
}

Result<void> Delivery::store_taken(Destination& to, const Work& work) {
    done_.delivered += work.ids.size();
    if (work.maybe_arrived) done_.repeated += work.ids.size();
    auto removed = outbox_.remove(work);
    auto& state = to.state;
    if (!removed || (state.failures == 0 && work.batch.dropped == 0)) return removed;
    state.failures = 0;
    to.not_before_ms = 0;
    state.dropped -= std::min(state.dropped, work.batch.dropped);
    return store_state(database_, to, work.batch.dropped);
}

Result<void> Delivery::store_failure(Destination& to, const Work& work,
                                     const Judgement& judgement) {
    auto& state = to.state;
    ++state.failures;
    const auto asked = judgement.after.value_or(milliseconds(0));
    if (judgement.whole_target || state.failures >= patience) {
        const auto failures =
            judgement.whole_target ? state.failures : state.failures - patience + 1;
        to.not_before_ms =
            wall_ms() + std::max(asked, backoff(config_, failures, chance())).count();
        to.queue.clear();
    }
    auto stored = store_state(database_, to, 0);
    if (!stored) return stored;
    const auto wait = judgement.whole_target
                          ? milliseconds(0)
                          : std::max(asked, backoff(config_, work.attempts, chance()));
    return outbox_.postpone(work, wait, judgement.why, judgement.verdict == Verdict::unknown);
}

Delivery::Answers Delivery::abandon() {
    poster_.cancel();
    Answers answers;
    for (const auto& [id, work] : under_way_) {
        HttpAnswer none;
        none.outcome = HttpOutcome::unknown;
        none.error = "no answer before the deadline";
        answers.emplace_back(id, std::move(none));
    }
    return answers;
}

std::optional<Delivery::Steady::time_point> Delivery::next_due() {
    std::optional<Steady::time_point> next;
    for (const auto& one : destinations_) {
        if (!one.state.disabled.empty()) continue;
        const auto due = outbox_.next_due(one.name);
        if (!due) continue;
        const auto wait = std::max(*due, one.not_before_ms) - wall_ms();
        const auto at =
            std::max(Steady::now() + milliseconds(std::max<std::int64_t>(5, wait)), one.next_start);
        if (!next || at < *next) next = at;
    }
    return next;
}

milliseconds Delivery::wait_time() const {
    auto until = deadline_ + last_wait;
    for (const auto& one : destinations_) {
        if (!one.queue.empty() && one.under_way < one.traits.parallel
            && one.next_start > Steady::now())
            until = std::min(until, one.next_start);
    }
    const auto left = std::chrono::duration_cast<milliseconds>(until - Steady::now());
    return std::clamp(left, milliseconds(1), milliseconds(1000));
}

Result<void> Delivery::count_left() {
    auto counts = outbox_.counts();
    if (!counts) return std::move(counts).error();
    for (const auto& [name, count] : *counts) {
        done_.waiting += count;
        const auto found =
            std::find_if(destinations_.begin(), destinations_.end(),
                         [&name = name](const Destination& one) { return one.name == name; });
        if (found == destinations_.end())
            done_.problems.push_back(fmt::format(
                "{} messages wait for target '{}', which the configuration does not have", count,
                name));
        else if (!found->state.disabled.empty())
            problem(*found, fmt::format("disabled: {}", found->state.disabled));
    }
    return {};
}

void Delivery::problem(const Destination& to, std::string_view why) {
    auto text = fmt::format("{}: {}", to.name, why);
    if (std::find(done_.problems.begin(), done_.problems.end(), text) == done_.problems.end()
        && done_.problems.size() < 100)
        done_.problems.push_back(std::move(text));
}

} // namespace wgkit::alert
