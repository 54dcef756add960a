#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "alert/database.hpp"
#include "alert/message.hpp"

namespace wgkit::alert {

/// Messages that were or will be sent together.
struct Work {
    Batch batch;
    std::vector<std::int64_t> ids;
    std::uint32_t attempts = 0;
    bool maybe_arrived = false;
};

/// Milliseconds since 1970.
std::int64_t wall_ms();
/// A time farther ahead is one of before the clock was set.
inline constexpr std::int64_t horizon_ms = 25LL * 3600 * 1000;

/// The messages that wait in the spool. Changes are the caller's transaction.
class Outbox {
  public:
    explicit Outbox(Database& database) : database_(database) {}

    /// What was under way when a process died may have arrived: it is marked so and waits again, or
    /// is dropped if `at_most_once`. Returns how many were dropped.
    Result<std::size_t> reclaim(const std::string& destination, bool at_most_once);
    /// What is due: of each key its first message, the worst first, at most `batch` at a time. What
    /// was sent together before stays together.
    Result<std::deque<Work>> due(const std::string& destination, std::size_t batch);
    /// One attempt more, which begins now.
    Result<void> mark(Work& work);
    Result<void> remove(const Work& work);
    /// It waits as before the attempt.
    Result<void> release(const Work& work);
    /// It waits, and each of its messages goes alone.
    Result<void> separate(const Work& work);
    Result<void> postpone(const Work& work, std::chrono::milliseconds wait, std::string_view why,
                          bool maybe_arrived);
    /// When the next is due, in milliseconds since 1970; nothing if none waits.
    std::optional<std::int64_t> next_due(const std::string& destination);
    /// How many wait, by destination.
    Result<std::vector<std::pair<std::string, std::size_t>>> counts();

  private:
    Result<void> each(std::string_view sql, const Work& work);
    std::string new_id();

    Database& database_;
    std::mt19937_64 random_{(std::uint64_t{std::random_device{}()} << 32) + std::random_device{}()};
};

} // namespace wgkit::alert
