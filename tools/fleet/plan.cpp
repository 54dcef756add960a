// `wgkit fleet plan`: what would change, on every node.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "commands.hpp"
#include "fleet/plan_file.hpp"
#include "fleet/plan_text.hpp"

namespace wgkit::tool::fleet {

namespace {

struct PlanOptions {
    FleetOptions fleet;
    std::vector<std::string> only;
    std::string output;
};

int run_plan(const PlanOptions& options, const Report& report) {
    auto fleet = load_fleet(options.fleet.nodes, report);
    if (!fleet) return exit_failed;
    Transport transport{std::chrono::seconds(options.fleet.connect_timeout)};
    const auto nodes = survey(*fleet, transport, options.fleet, options.only, false);
    if (!nodes) return report.error(nodes.error());
    if (options.fleet.json)
        print(plan_json(*nodes));
    else
        std::fputs(plan_text(*fleet, *nodes, wants_colour(STDOUT_FILENO)).c_str(), stdout);
    const int status = report_troubles(*nodes, report);
    if (const auto refused = too_many_removals(*nodes, std::nullopt))
        report.warning(refused->message, "apply needs " + refused->hint);
    if (!options.output.empty())
        if (const auto written = write_plan(make_plan(*fleet, *nodes), options.output); !written)
            return report.error(written.error());
    if (status != exit_ok) return status;
    for (const auto& node : *nodes)
        if (node.changes() != 0) return exit_differences;
    return exit_ok;
}

} // namespace

Action setup_plan(Arguments arguments) {
    auto options = std::make_shared<PlanOptions>();
    arguments.add_option("NODE", options->only, "Only these nodes").type_name("");
    add_fleet_options(arguments, options->fleet);
    arguments.add_option("-o,--output", options->output, "Save the plan, for apply")
        .type_name("FILE");
    return [options](const Report& report) { return run_plan(*options, report); };
}

} // namespace wgkit::tool::fleet
