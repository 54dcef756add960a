#include "alert/destination.hpp"

#include <algorithm>

#include "alert/spool_state.hpp"

namespace wgkit::alert {

std::vector<Destination> destinations_of(const AlertConfig& config) {
    std::vector<Destination> destinations;
    for (const auto& target : config.targets)
        for (std::size_t url = 0; url < std::max<std::size_t>(1, target.urls.size()); ++url) {
            Destination& one = destinations.emplace_back();
            one.target = &target;
            one.url = url;
            one.name = destination(target, url);
            one.traits = traits_of(target);
            one.state.name = one.name;
        }
    return destinations;
}

Result<void> load_states(Database& database, std::vector<Destination>& destinations) {
    auto query =
        database.prepare("SELECT name, disabled, not_before, failures, dropped FROM target");
    if (!query) return std::move(query).error();
    while (true) {
        auto row = query->step();
        if (!row) return std::move(row).error();
        if (!*row) return {};
        const auto name = query->text(0);
        for (auto& one : destinations) {
            if (one.name != name) continue;
            one.state.disabled = query->text(1);
            one.not_before_ms = query->number(2);
            one.state.failures = static_cast<std::uint32_t>(query->number(3));
            one.state.dropped = static_cast<std::uint64_t>(query->number(4));
            if (one.not_before_ms > wall_ms() + horizon_ms) one.not_before_ms = 0;
        }
    }
}

Result<void> store_state(Database& database, const Destination& one,
                         std::uint64_t told_of_dropped) {
    auto update = database.prepare(
        "INSERT INTO target(name, disabled, not_before, failures) VALUES(?1, ?2, ?3, ?4) ON "
        "CONFLICT(name) DO UPDATE SET disabled = ?2, not_before = ?3, failures = ?4, dropped = "
        "max(0, dropped - ?5)");
    if (!update) return std::move(update).error();
    return update->bind(one.name)
        .bind(one.state.disabled)
        .bind(one.not_before_ms)
        .bind(one.state.failures)
        .bind(static_cast<std::int64_t>(told_of_dropped))
        .done();
}

} // namespace wgkit::alert
