// What status has found, for wgkit-alert.
#include "fw/status_events.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "util/json_text.hpp"
#include "util/rfc3339.hpp"

namespace wgkit::tool::fw {

using wgkit::fw::Difference;
using Effect = Difference::Effect;

const char* kind_word(const Difference& difference) {
    if (difference.is_dead) return "dead";
    switch (difference.kind) {
    case Difference::Kind::missing:
        return "missing";
    case Difference::Kind::extra:
        return "extra";
    case Difference::Kind::moved:
        return "moved";
    }
    return "";
}

const char* effect_word(Effect effect) {
    switch (effect) {
    case Effect::narrower:
        return "narrower than the policy";
    case Effect::wider:
        return "wider than the policy";
    case Effect::none:
        return "no effect";
    }
    return "";
}

namespace {

/// The worst that the differences do to packets.
Effect worst_of(const std::vector<Difference>& differences) {
    for (const auto effect : {Effect::wider, Effect::narrower})
        if (std::any_of(differences.begin(), differences.end(),
                        [effect](const auto& one) { return one.effect == effect; }))
            return effect;
    return Effect::none;
}

std::string event_line(const Json& event) { return json_text::dump(event) + "\n"; }

std::string drift_event(const Prepared& one, const std::string& time) {
    constexpr std::size_t most_lines = 20;
    const auto& name = one.rules.interface;
    const bool is_well = one.differences.empty();
    const Effect worst = worst_of(one.differences);
    std::string details;
    for (std::size_t i = 0; i < std::min(most_lines, one.differences.size()); ++i) {
        const auto& difference = one.differences[i];
        details += fmt::format("{}: {}{}{}: {}\n", kind_word(difference), difference.place,
                               difference.rule.empty() ? "" : ": ", difference.rule,
                               effect_word(difference.effect));
    }
    if (one.differences.size() > most_lines)
        details += fmt::format("and {} more\n", one.differences.size() - most_lines);
    Json event{
        {"key", "firewall:" + name},
        {"type", "firewall.drift"},
        {"severity", worst == Effect::wider ? "critical" : "warning"},
        {"summary", is_well ? fmt::format("the firewall rules of {} are as they should be", name)
                            : fmt::format("the firewall rules of {} are not what they should be: "
                                          "{}",
                                          name, effect_word(worst))},
        {"details", details},
        {"labels",
         {{"interface", name},
          {"backend", to_string(one.rules.backend)},
          {"state", is_well ? "ok" : "drift"}}},
        {"started_at", time}};
    if (is_well) event["resolved_at"] = time;
    return event_line(event);
}

Json blindness(const std::string& time) {
    return {{"key", "firewall"},
            {"type", "firewall.blind"},
            {"severity", "critical"},
            {"summary", "the firewall rules cannot be read"},
            {"details", "wgkit fw status says why"},
            {"labels", {{"state", "blind"}}},
            {"started_at", time}};
}

} // namespace

std::string status_events(const std::vector<Prepared>& all) {
    const std::string time = rfc3339_now();
    std::string text;
    for (const auto& one : all) text += drift_event(one, time);
    Json sight = blindness(time);
    sight["resolved_at"] = time;
    return text + event_line(sight);
}

std::string blind_event() { return event_line(blindness(rfc3339_now())); }

} // namespace wgkit::tool::fw
