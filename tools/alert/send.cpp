#include <fmt/format.h>

#include <memory>

#include "alert/commands.hpp"
#include "alert/common.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::alert {

namespace {

struct SendOptions {
    ConfigOptions config;
    std::string events;
    std::string key;
    std::string type = "alert";
    std::string severity = "warning";
    std::string summary;
    std::string details;
    std::string cause;
    std::vector<std::string> labels;
    std::vector<std::string> tags;
    bool resolved = false;
    bool no_flush = false;
    std::uint32_t timeout = 30;
    bool json = false;
};

/// One event a line.
std::optional<std::vector<AlertEvent>> read_events(const std::string& path, const Report& report) {
    const auto text = files::read(path);
    if (!text) {
        report.error(text.error());
        return std::nullopt;
    }
    std::vector<AlertEvent> events;
    std::string_view rest = *text;
    for (std::size_t line = 1; !rest.empty(); ++line) {
        const auto end = rest.find('\n');
        const auto one = rest.substr(0, end);
        rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
        if (one.find_first_not_of(" \t\r") == one.npos) continue;
        auto event = parse_alert_event(one);
        if (!event) {
            report.error(fmt::format("{}:{}: {}", path == "-" ? "standard input" : path, line,
                                     event.error().message),
                         event.error().hint);
            return std::nullopt;
        }
        events.push_back(*std::move(event));
    }
    return events;
}

std::optional<std::vector<AlertEvent>> the_event(const SendOptions& options, const Report& report) {
    if (options.summary.empty()) {
        report.error("no event is given", "give a summary, or --events FILE");
        return std::nullopt;
    }
    auto labels = pairs(options.labels, report);
    if (!labels) return std::nullopt;
    AlertEvent event;
    event.type = options.type;
    event.summary = options.summary;
    event.key = options.key.empty() ? options.type + ":" + options.summary : options.key;
    event.details = options.details;
    event.cause = options.cause;
    event.labels = *std::move(labels);
    event.tags = options.tags;
    event.severity = options.severity == "critical"  ? AlertSeverity::critical
                     : options.severity == "warning" ? AlertSeverity::warning
                                                     : AlertSeverity::info;
    event.started_at = now();
    if (options.resolved) event.resolved_at = now();
    return std::vector{std::move(event)};
}

int run_send(const SendOptions& options, const Report& report) {
    const auto events =
        options.events.empty() ? the_event(options, report) : read_events(options.events, report);
    if (!events) return options.events.empty() ? exit_usage : exit_failed;
    const auto config = load_config(options.config, report);
    if (!config) return exit_failed;
    auto spool = open_spool(*config, report);
    if (!spool) return exit_failed;
    const auto recorded = spool->record(*config, *events, now());
    if (!recorded) return report.error(recorded.error());
    if (recorded->dropped != 0)
        report.warning(fmt::format("{} messages were dropped: the spool was full or they were too "
                                   "old; the next message says so",
                                   recorded->dropped));
    if (!options.no_flush)
        return deliver(*spool, *config, options.timeout, options.json, &*recorded, report);
    if (options.json)
        print({{"schema", 1},
               {"recorded",
                {{"spooled", recorded->spooled},
                 {"merged", recorded->merged},
                 {"held_back", recorded->silenced},
                 {"dropped", recorded->dropped}}}});
    return exit_ok;
}

} // namespace

Action send(Arguments arguments) {
    auto options = std::make_shared<SendOptions>();
    arguments.add_option("summary", options->summary, "What is wrong, in one line")
        .type_name("TEXT");
    options->config.add_to(arguments);
    arguments
        .add_option("--events", options->events,
                    "Read events from here instead, JSON, one a line; - is standard input")
        .type_name("FILE");
    arguments
        .add_option("--key", options->key,
                    "What it is about, the same at every report (default: type and summary)")
        .type_name("KEY");
    arguments.add_option("--type", options->type, "Kind of event, for instance peer.unreachable")
        .type_name("TYPE")
        .shows_default();
    arguments.add_option("--severity", options->severity, "How bad it is")
        .choices({"info", "warning", "critical"})
        .shows_default();
    arguments.add_option("--details", options->details, "More text").type_name("TEXT");
    arguments.add_option("--cause", options->cause, "What it has in common with other events")
        .type_name("TEXT");
    arguments.add_option("--label", options->labels, "A label; may be repeated")
        .type_name("LABEL=VALUE");
    arguments.add_option("--tag", options->tags, "A tag, for routes; may be repeated")
        .type_name("TAG");
    arguments.add_flag("--resolved", options->resolved, "It is over");
    arguments.add_flag("--no-flush", options->no_flush, "Only put it into the spool");
    arguments.add_option("--timeout", options->timeout, "Seconds to spend on sending")
        .range(1, 3600)
        .shows_default();
    arguments.add_flag("--json", options->json, "Print what was done as JSON");
    return [options](const Report& report) { return run_send(*options, report); };
}

} // namespace wgkit::tool::alert
