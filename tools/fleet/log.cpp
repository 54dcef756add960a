// `wgkit fleet log`: who changed what, and whether that was tampered with.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "commands.hpp"
#include "common/json.hpp"
#include "fleet/record.hpp"

namespace wgkit::tool::fleet {

namespace {

struct LogOptions {
    std::string what = "show";
    std::string nodes = "nodes.yaml";
    bool json = false;
};

std::string date_of(std::int64_t time) {
    return fmt::format("{:%Y-%m-%d %H:%M:%S}Z", fmt::gmtime(static_cast<std::time_t>(time)));
}

int run_log(const LogOptions& options, const Report& report) {
    const auto record = Record::open(options.nodes);
    if (!record) return report.error(record.error());
    const auto entries = wgkit::fleet::read_log(record->log_path());
    if (!entries) return report.error(entries.error());
    const std::string head = entries->empty() ? "" : entries->back().hash;
    if (options.what == "verify") {
        if (options.json)
            print(Json{{"schema", 1}, {"entries", entries->size()}, {"head", head}});
        else
            fmt::print("{}: {} entries, unbroken; the last is {}\n", record->log_path(),
                       entries->size(), head.empty() ? "none" : head);
        return exit_ok;
    }
    Json list = Json::array();
    for (const auto& entry : *entries) {
        if (options.json)
            list.push_back({{"number", entry.number},
                            {"time", date_of(entry.time)},
                            {"who", entry.who},
                            {"action", entry.action},
                            {"nodes", entry.nodes},
                            {"result", entry.result},
                            {"detail", entry.detail},
                            {"hash", entry.hash}});
        else
            fmt::print("{}  {}  {} {}: {}{}{}\n", date_of(entry.time), entry.who, entry.action,
                       fmt::join(entry.nodes, ","), entry.result, entry.detail.empty() ? "" : ": ",
                       entry.detail);
    }
    if (options.json) print(Json{{"schema", 1}, {"entries", std::move(list)}});
    return exit_ok;
}

} // namespace

Action setup_log(Arguments arguments) {
    auto options = std::make_shared<LogOptions>();
    arguments
        .add_option("WHAT", options->what,
                    "\"show\" prints the log, \"verify\" checks that nobody has changed it")
        .type_name("")
        .choices({"show", "verify"});
    arguments.add_option("-f,--file", options->nodes, "The inventory")
        .type_name("FILE")
        .shows_default();
    arguments.add_flag("--json", options->json, "Print JSON");
    return [options](const Report& report) { return run_log(*options, report); };
}

} // namespace wgkit::tool::fleet
