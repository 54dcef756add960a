#include <fmt/format.h>

#include <memory>

#include "alert/commands.hpp"
#include "alert/common.hpp"
#include "util/rfc3339.hpp"

namespace wgkit::tool::alert {

namespace {

struct ListOptions {
    ConfigOptions config;
    bool json = false;
};

/// Names come from outside: what a terminal would obey must not reach it.
std::string shown(std::string_view text) {
    std::string result;
    for (const char c : text) result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    return result;
}

void print_text(const std::vector<AlertIncident>& incidents,
                const std::vector<AlertWaiting>& waiting,
                const std::vector<AlertTargetState>& targets,
                const std::vector<AlertSilence>& silences) {
    for (const auto& one : incidents)
        fmt::print("{} {} {} since {}{}{}\n", to_string(one.event.severity), one.event.type,
                   shown(one.event.summary), rfc3339(one.event.started_at),
                   one.flapping ? ", flapping" : "", one.silenced ? ", silenced" : "");
    for (const auto& one : waiting)
        fmt::print("waits for {}: {} {}{}{}\n", one.target, one.kind, shown(one.event.summary),
                   one.attempts != 0 ? fmt::format(", {} attempts", one.attempts) : std::string(),
                   one.last_error.empty() ? std::string() : ", " + shown(one.last_error));
    for (const auto& one : targets) {
        if (!one.disabled.empty())
            fmt::print("{} is disabled: {}\n", one.name, shown(one.disabled));
        else if (one.failures != 0)
            fmt::print("{} failed {} times, not before {}\n", one.name, one.failures,
                       rfc3339(one.not_before));
    }
    for (const auto& one : silences) {
        fmt::print("silence {} until {}:", one.id, rfc3339(one.until));
        for (const auto& [label, value] : one.matches)
            fmt::print(" {}={}", shown(label), shown(value));
        fmt::print("{}\n", one.comment.empty() ? "" : " (" + shown(one.comment) + ")");
    }
}

Json event_json(const AlertEvent& event) {
    return {{"key", event.key},
            {"type", event.type},
            {"severity", to_string(event.severity)},
            {"summary", event.summary},
            {"labels", event.labels},
            {"started_at", rfc3339(event.started_at)}};
}

void print_json(const std::vector<AlertIncident>& incidents,
                const std::vector<AlertWaiting>& waiting,
                const std::vector<AlertTargetState>& targets,
                const std::vector<AlertSilence>& silences) {
    Json wrong = Json::array(), messages = Json::array(), states = Json::array(),
         quiet = Json::array();
    for (const auto& one : incidents) {
        Json object = event_json(one.event);
        object["notified"] = one.notified;
        object["flapping"] = one.flapping;
        object["silenced"] = one.silenced;
        wrong.push_back(object);
    }
    for (const auto& one : waiting)
        messages.push_back({{"id", one.id},
                            {"target", one.target},
                            {"status", one.kind},
                            {"event", event_json(one.event)},
                            {"created", rfc3339(one.created)},
                            {"next_attempt", rfc3339(one.next_attempt)},
                            {"attempts", one.attempts},
                            {"outcome_unknown", one.outcome_unknown},
                            {"last_error", one.last_error}});
    for (const auto& one : targets)
        states.push_back({{"name", one.name},
                          {"disabled", one.disabled},
                          {"failures", one.failures},
                          {"not_before", rfc3339(one.not_before)},
                          {"dropped", one.dropped}});
    for (const auto& one : silences)
        quiet.push_back({{"id", one.id},
                         {"match", one.matches},
                         {"until", rfc3339(one.until)},
                         {"comment", one.comment}});
    print({{"schema", 1},
           {"incidents", wrong},
           {"waiting", messages},
           {"targets", states},
           {"silences", quiet}});
}

int run_list(const ListOptions& options, const Report& report) {
    const auto config = load_config(options.config, report);
    if (!config) return exit_failed;
    const auto spool = open_spool(*config, report);
    if (!spool) return exit_failed;
    const auto incidents = spool->incidents();
    if (!incidents) return report.error(incidents.error());
    const auto waiting = spool->waiting();
    if (!waiting) return report.error(waiting.error());
    const auto targets = spool->targets();
    if (!targets) return report.error(targets.error());
    const auto silences = spool->silences(now());
    if (!silences) return report.error(silences.error());
    (options.json ? print_json : print_text)(*incidents, *waiting, *targets, *silences);
    return exit_ok;
}

} // namespace

Action list(Arguments arguments) {
    auto options = std::make_shared<ListOptions>();
    options->config.add_to(arguments);
    arguments.add_flag("--json", options->json, "Print it as JSON");
    return [options](const Report& report) { return run_list(*options, report); };
}

} // namespace wgkit::tool::alert
