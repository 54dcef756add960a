#include "alert/matching.hpp"

#include <algorithm>

namespace wgkit::alert {

namespace {

bool any_of(const std::vector<std::string>& patterns, std::string_view text) {
    return std::any_of(patterns.begin(), patterns.end(),
                       [&](const std::string& pattern) { return matches(pattern, text); });
}

bool fits(const AlertRoute& route, const AlertEvent& event) {
    return event.severity >= route.minimum && matches(route.matches, event)
           && (route.types.empty() || any_of(route.types, event.type))
           && (route.tags.empty()
               || std::any_of(event.tags.begin(), event.tags.end(),
                              [&](const std::string& tag) { return any_of(route.tags, tag); }));
}

} // namespace

bool matches(std::string_view pattern, std::string_view text) {
    if (pattern.ends_with('*')) return text.starts_with(pattern.substr(0, pattern.size() - 1));
    return pattern == text;
}

bool matches(const std::map<std::string, std::string>& wanted, const AlertEvent& event) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) {
        const auto& [name, pattern] = one;
        const auto label = event.labels.find(name);
        if (label != event.labels.end()) return matches(pattern, label->second);
        if (name == "key") return matches(pattern, event.key);
        if (name == "type") return matches(pattern, event.type);
        if (name == "severity") return matches(pattern, to_string(event.severity));
        return matches(pattern, "");
    });
}

std::vector<const AlertTarget*> targets_of(const AlertConfig& config, const AlertEvent& event) {
    std::vector<std::string_view> names;
    for (const auto& route : config.routes) {
        if (!fits(route, event)) continue;
        names.insert(names.end(), route.to.begin(), route.to.end());
        if (!route.goes_on) break;
    }
    std::vector<const AlertTarget*> targets;
    for (const auto& target : config.targets) {
        const bool chosen = config.routes.empty()
                            || std::find(names.begin(), names.end(), target.name) != names.end();
        if (chosen && event.severity >= target.minimum) targets.push_back(&target);
    }
    return targets;
}

} // namespace wgkit::alert
