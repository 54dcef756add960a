#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "alert/destination.hpp"
#include "alert/outbox.hpp"
#include "alert/retry.hpp"
#include "wgkit/alert.hpp"

namespace wgkit::alert {

/// One flush: everything that is due goes out, to all destinations side by side.
class Delivery {
  public:
    using Steady = std::chrono::steady_clock;

    Delivery(Database& database, const AlertConfig& config, HttpPoster& poster,
             Steady::time_point deadline);

    /// Until nothing is due or the deadline has passed.
    Result<AlertsFlushed> run();

  private:
    using Answers = std::vector<std::pair<std::uint64_t, HttpAnswer>>;

    Result<void> prepare();
    /// Stores what the answers mean and marks what is sent next, in one transaction; then sends it.
    Result<void> turn(Answers& answers);
    Result<void> store_answers(Answers& answers);
    Result<std::vector<std::pair<Destination*, Work>>> choose();
    bool may_start(const Destination& one) const;
    Result<void> send(Destination& to, Work work);
    Result<void> store_now(Destination& to, const Work& work, const Judgement& judgement);
    Result<void> store(Destination& to, const Work& work, const Judgement& judgement);
    Result<void> store_taken(Destination& to, const Work& work);
    Result<void> store_failure(Destination& to, const Work& work, const Judgement& judgement);
    /// Gives up on what is under way.
    Answers abandon();
    /// When something could be sent again; nothing if nothing waits.
    std::optional<Steady::time_point> next_due();
    /// Until a destination may send again, or an answer comes.
    std::chrono::milliseconds wait_time() const;
    Result<void> count_left();
    void problem(const Destination& to, std::string_view why);
    double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

    Database& database_;
    const AlertConfig& config_;
    HttpPoster& poster_;
    Steady::time_point deadline_;
    std::string source_;
    Outbox outbox_;
    std::vector<Destination> destinations_;
    std::map<std::uint64_t, std::pair<Destination*, Work>> under_way_;
    std::uint64_t last_request_ = 0;
    std::mt19937_64 random_{std::random_device{}()};
    AlertsFlushed done_;
};

} // namespace wgkit::alert
