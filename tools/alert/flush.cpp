#include <fmt/format.h>

#include <memory>

#include "alert/commands.hpp"
#include "alert/common.hpp"

namespace wgkit::tool::alert {

namespace {

struct FlushOptions {
    ConfigOptions config;
    std::string enable;
    std::uint32_t timeout = 30;
    bool json = false;
};

int run_flush(const FlushOptions& options, const Report& report) {
    const auto config = load_config(options.config, report);
    if (!config) return exit_failed;
    auto spool = open_spool(*config, report);
    if (!spool) return exit_failed;
    if (!options.enable.empty()) {
        auto enabled = spool->enable_target(options.enable);
        if (!enabled) return report.error(enabled.error());
    }
    return deliver(*spool, *config, options.timeout, options.json, nullptr, report);
}

} // namespace

Action flush(Arguments arguments) {
    auto options = std::make_shared<FlushOptions>();
    options->config.add_to(arguments);
    arguments
        .add_option("--enable", options->enable,
                    "First try a target again that was disabled or waits")
        .type_name("TARGET");
    arguments.add_option("--timeout", options->timeout, "Seconds to spend on sending")
        .range(1, 3600)
        .shows_default();
    arguments.add_flag("--json", options->json, "Print what was done as JSON");
    return [options](const Report& report) { return run_flush(*options, report); };
}

} // namespace wgkit::tool::alert
