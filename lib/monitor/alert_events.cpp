#include <fmt/format.h>

#include "util/json_text.hpp"
#include "util/rfc3339.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::monitor {

namespace {

std::string time_of(const State& state, milliseconds t) {
    return rfc3339(
        std::chrono::sys_seconds(std::chrono::duration_cast<seconds>(wall_of(state, t))));
}

std::string line(const nlohmann::ordered_json& event) { return json_text::dump(event) + "\n"; }

std::string event_of(const Row& row, const State& state) {
    const PeerState& peer = *row.peer;
    const bool is_well = peer.level == Level::ok;
    const std::string where = row.device_name();
    nlohmann::ordered_json event{
        {"key", fmt::format("peer:{}:{}", where, to_string(peer.key))},
        {"type", fmt::format("peer.{}", to_string(peer.verdict))},
        {"severity", peer.level == Level::critical ? "critical" : "warning"},
        {"summary", fmt::format("peer {} on {} is {}", row.name(), where, to_string(peer.verdict))},
        {"details", reason(peer, row.t, row.rule)},
        {"labels",
         {{"interface", row.device->interface},
          {"netns", row.device->netns},
          {"peer", row.name()},
          {"public_key", to_string(peer.key)},
          {"state", to_string(peer.verdict)}}},
        {"started_at", time_of(state, peer.since)}};
    if (is_well) event["resolved_at"] = time_of(state, peer.since);
    return line(event);
}

} // namespace

std::string to_alert_events(const std::vector<Row>& rows, const State& state,
                            const std::vector<std::string>& problems) {
    std::string text;
    for (const auto& row : rows) text += event_of(row, state);
    nlohmann::ordered_json self{{"key", "monitor"},
                                {"type", "monitor.blind"},
                                {"severity", "critical"},
                                {"summary", "the monitor cannot see everything"},
                                {"details", fmt::format("{}", fmt::join(problems, "\n"))},
                                {"labels", {{"state", "blind"}}},
                                {"started_at", time_of(state, state.t)}};
    if (problems.empty()) self["resolved_at"] = self["started_at"];
    return text + line(self);
}

} // namespace wgkit::monitor
