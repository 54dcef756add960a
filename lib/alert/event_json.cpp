#include "alert/event_json.hpp"

#include <fmt/format.h>

#include <array>

#include "util/json_text.hpp"

namespace wgkit {

std::string_view to_string(AlertSeverity severity) {
    constexpr std::array<std::string_view, 3> words{"info", "warning", "critical"};
    return words.at(static_cast<std::size_t>(severity));
}

Result<AlertEvent> parse_alert_event(std::string_view json) { return alert::event_from_json(json); }

} // namespace wgkit

namespace wgkit::alert {

using Json = nlohmann::ordered_json;

std::optional<AlertSeverity> severity_of(std::string_view word) {
    for (const auto severity :
         {AlertSeverity::info, AlertSeverity::warning, AlertSeverity::critical})
        if (to_string(severity) == word) return severity;
    return std::nullopt;
}

std::string to_json_text(const AlertEvent& event) {
    Json json{{"key", event.key},
              {"type", event.type},
              {"severity", to_string(event.severity)},
              {"summary", event.summary}};
    if (!event.details.empty()) json["details"] = event.details;
    json["labels"] = event.labels;
    if (!event.tags.empty()) json["tags"] = event.tags;
    if (!event.cause.empty()) json["cause"] = event.cause;
    json["started_at"] = rfc3339(event.started_at);
    if (event.resolved_at) json["resolved_at"] = rfc3339(*event.resolved_at);
    return json_text::dump(json);
}

Result<AlertEvent> event_from_json(std::string_view text) {
    const auto wrong = [](std::string what) {
        return Error{Errc::invalid, "this is no alert event: " + std::move(what),
                     "wgkit-alert(1) shows one under EVENTS"};
    };
    const auto json = json_text::parse(text);
    if (!json.is_object()) return wrong("not a JSON object");
    AlertEvent event;
    std::string problem;
    const auto take = [&](const char* name, std::string& into) {
        const auto found = json.find(name);
        if (found == json.end() || found->is_null()) return;
        if (found->is_string())
            into = found->get<std::string>();
        else
            problem = fmt::format("'{}' must be a string", name);
    };
    const auto take_time = [&](const char* name) -> std::optional<AlertTime> {
        std::string word;
        take(name, word);
        if (word.empty()) return std::nullopt;
        const auto time = from_rfc3339(word);
        if (!time) problem = fmt::format("'{}' must be a time as 2026-01-02T03:04:05Z", name);
        return time;
    };
    std::string severity = "warning";
    take("key", event.key);
    take("type", event.type);
    take("severity", severity);
    take("summary", event.summary);
    take("details", event.details);
    take("cause", event.cause);
    event.started_at = take_time("started_at").value_or(AlertTime{});
    event.resolved_at = take_time("resolved_at");
    const auto read = severity_of(severity);
    if (!read) problem = "'severity' must be info, warning or critical";
    event.severity = read.value_or(AlertSeverity::warning);
    if (const auto labels = json.find("labels"); labels != json.end() && labels->is_object()) {
        for (const auto& [name, value] : labels->items()) {
            if (!value.is_string())
                problem = "'labels' must hold strings";
            else if (!value.get_ref<const std::string&>().empty())
                event.labels[name] = value.get<std::string>();
        }
    } else if (labels != json.end()) {
        problem = "'labels' must be an object";
    }
    if (const auto tags = json.find("tags"); tags != json.end() && tags->is_array()) {
        for (const auto& tag : *tags)
            if (tag.is_string()) event.tags.push_back(tag.get<std::string>());
    }
    if (problem.empty() && event.key.empty()) problem = "'key' is missing";
    if (problem.empty() && event.summary.empty()) problem = "'summary' is missing";
    if (!problem.empty()) return wrong(problem);
    if (event.type.empty()) event.type = "alert";
    return event;
}

} // namespace wgkit::alert
