#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "alert/commands.hpp"
#include "alert/common.hpp"
#include "common/http_library.hpp"
#include "util/temporary_folder.hpp"

namespace wgkit::tool::alert {

namespace {

struct TestOptions {
    ConfigOptions config;
    std::vector<std::string> targets;
    std::string severity = "info";
    bool check = false;
    std::uint32_t timeout = 30;
    bool json = false;
};

AlertEvent test_event(const std::string& severity) {
    AlertEvent event;
    event.key = "wgkit.test";
    event.type = "wgkit.test";
    event.severity = severity == "critical"  ? AlertSeverity::critical
                     : severity == "warning" ? AlertSeverity::warning
                                             : AlertSeverity::info;
    event.summary = "this is a test of wgkit alert, nothing is wrong";
    event.details = "Names may hold anything: <b> *bold* _x_ `y` @channel & \xC3\xA9.";
    event.labels = {{"peer", "test"}};
    event.started_at = now();
    return event;
}

int run_test(const TestOptions& options, const Report& report) {
    auto config = load_config(options.config, report);
    if (!config) return exit_failed;
    for (const auto& name : options.targets)
        if (std::none_of(config->targets.begin(), config->targets.end(),
                         [&](const AlertTarget& one) { return one.name == name; })) {
            report.error(fmt::format("no target is called '{}'", name));
            return exit_failed;
        }
    if (options.check) {
        report.note(
            fmt::format("{} targets, {} routes", config->targets.size(), config->routes.size()));
        return exit_ok;
    }
    // Tests leave nothing in the real spool.
    const TemporaryFolder folder(TemporaryFolder::prefix("wgkit-alert-"));
    if (folder.path().empty()) {
        report.error("cannot make a temporary folder");
        return exit_failed;
    }
    auto poster = load_http_poster();
    if (!poster) return report.error(poster.error());
    int status = exit_ok;
    Json results = Json::array();
    for (const auto& target : config->targets) {
        if (!options.targets.empty()
            && std::find(options.targets.begin(), options.targets.end(), target.name)
                   == options.targets.end())
            continue;
        AlertConfig one = *config;
        one.spool = folder.path() + "/" + target.name;
        one.targets = {target};
        one.targets.front().minimum = AlertSeverity::info;
        one.routes.clear();
        one.heartbeat = {};
        one.first_retry = std::chrono::hours(1); // one attempt
        one.last_retry = std::chrono::hours(1);
        auto spool = open_spool(one, report);
        if (!spool) return exit_failed;
        const std::vector events{test_event(options.severity)};
        const auto recorded = spool->record(one, events, now());
        if (!recorded) return report.error(recorded.error());
        const auto done =
            spool->flush(one, **poster,
                         std::chrono::steady_clock::now() + std::chrono::seconds(options.timeout));
        if (!done) return report.error(done.error());
        const bool good = done->problems.empty() && done->waiting == 0;
        if (!good) status = exit_failed;
        for (const auto& problem : done->problems) report.error(problem);
        if (!options.json) fmt::print("{}: {}\n", target.name, good ? "taken" : "failed");
        results.push_back({{"target", target.name}, {"taken", good}, {"problems", done->problems}});
    }
    if (options.json) print({{"schema", 1}, {"targets", results}});
    return status;
}

} // namespace

Action test(Arguments arguments) {
    auto options = std::make_shared<TestOptions>();
    arguments.add_option("target", options->targets, "Only these targets").type_name("TARGET");
    options->config.add_to(arguments);
    arguments.add_option("--severity", options->severity, "How bad the test says it is")
        .choices({"info", "warning", "critical"})
        .shows_default();
    arguments.add_flag("--check", options->check, "Only read the configuration, send nothing");
    arguments.add_option("--timeout", options->timeout, "Seconds to spend on each target")
        .range(1, 3600)
        .shows_default();
    arguments.add_flag("--json", options->json, "Print the results as JSON");
    return [options](const Report& report) { return run_test(*options, report); };
}

} // namespace wgkit::tool::alert
