// The watcher: waits for the confirmation, or undoes the change.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "confirm/boot_files.hpp"
#include "confirm/events.hpp"
#include "confirm/record.hpp"
#include "util/child.hpp"

namespace wgkit::confirm {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_command = 120s;
/// After each failure; then it is given up.
constexpr std::array<std::chrono::seconds, 7> retries{1s, 2s, 4s, 8s, 15s, 30s, 60s};

class Watcher {
  public:
    Watcher(const Place& place, const Log& log) : place_(place), log_(log) {}

    Result<void> run() {
        const Events events(place_.folder());
        for (;;) {
            const auto record = place_.read();
            if (!record) return record.error();
            if (!*record) {
                log_(Severity::info, fmt::format("{} is settled", place_.name()));
                return {};
            }
            const Pending& it = (*record)->pending;
            const BootTime left = until(it) - now();
            if (left > 0s) {
                events.wait(left);
                continue;
            }
            if (failures_ > retries.size())
                return Error{Errc::system, fmt::format("gave up on {}", place_.name()), {}};
            if (auto worked = work(); !worked) return worked;
        }
    }

  private:
    BootTime until(const Pending& it) const {
        if (it.state == State::pending) return it.deadline;
        if (it.state == State::undo_failed || it.state == State::confirmed) return next_try_;
        return {};
    }

    /// Under the lock nobody confirms any more.
    Result<void> work() {
        const auto lock = place_.lock(true);
        if (!lock) return lock.error();
        auto record = place_.read();
        if (!record) return record.error();
        if (!*record) return {};
        if ((*record)->pending.state == State::confirmed) return put_files(**record);
        if ((*record)->pending.state == State::pending && now() < (*record)->pending.deadline)
            return {};
        return undo(**record);
    }

    /// Somebody confirmed it, and was killed before the files were in their places.
    Result<void> put_files(const Record& record) {
        auto placed = PreparedFiles::prepare(place_, record);
        Result<void> done = placed ? placed->place() : placed.error();
        if (!done) {
            log_(Severity::error, done.error().message);
            fail();
            return {};
        }
        return place_.remove();
    }

    Result<void> undo(Record& record) {
        Pending& it = record.pending;
        log_(Severity::warning,
             fmt::format("{} was not confirmed: undoing it ({})", it.name, it.summary));
        it.state = State::undoing;
        it.problem.clear();
        if (auto noted = place_.write(record); !noted) return noted;
        const auto ended = run_child(it.undo, {}, longest_command);
        if (ended && ended->status == 0) {
            log_(Severity::warning, fmt::format("{} is undone", it.name));
            return place_.remove();
        }
        it.state = State::undo_failed;
        it.problem = !ended             ? ended.error().message
                     : ended->timed_out ? fmt::format("{} did not end", it.undo.front())
                                        : problem_of(*ended, it.undo.front());
        log_(Severity::error, fmt::format("cannot undo {}: {}", it.name, it.problem));
        fail();
        return place_.write(record);
    }

    static std::string problem_of(const ChildEnd& end, const std::string& program) {
        std::string text = end.errors;
        while (!text.empty() && text.back() == '\n') text.pop_back();
        return text.empty() ? fmt::format("{} ended with status {}", program, end.status) : text;
    }

    void fail() {
        next_try_ = now() + retries.at(std::min(failures_, retries.size() - 1));
        ++failures_;
    }

    const Place& place_;
    const Log& log_;
    std::size_t failures_ = 0;
    BootTime next_try_{};
};

} // namespace

Result<void> watch(const std::string& name, const Log& log) {
    if (auto good = check_name(name); !good) return good;
    const Place place(name);
    const auto record = place.read();
    if (!record) return record.error();
    if (!*record) return Error{Errc::not_found, fmt::format("no change {} is pending", name), {}};
    const auto alone = place.lock_watch();
    if (!alone) return alone.error();
    return Watcher(place, log).run();
}

} // namespace wgkit::confirm
