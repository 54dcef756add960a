#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "alert/outbox.hpp"
#include "alert/payload.hpp"

namespace wgkit::alert {

/// One URL of a target: what is kept of it between runs, and what is done with it in this one.
struct Destination {
    const AlertTarget* target = nullptr;
    std::size_t url = 0;
    std::string name;
    Traits traits;
    AlertTargetState state;
    std::int64_t not_before_ms = 0;
    std::deque<Work> queue;
    std::size_t under_way = 0;
    std::chrono::steady_clock::time_point next_start{};
};

/// All of the configuration, with nothing known of them yet.
std::vector<Destination> destinations_of(const AlertConfig& config);
/// What the spool knows of them.
Result<void> load_states(Database& database, std::vector<Destination>& destinations);
/// `told_of_dropped`: so many dropped messages the receiver has been told of.
Result<void> store_state(Database& database, const Destination& one, std::uint64_t told_of_dropped);

} // namespace wgkit::alert
