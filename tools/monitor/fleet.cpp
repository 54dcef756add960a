#include "monitor/fleet.hpp"

#include "common/loaded.hpp"

namespace wgkit::tool::monitor {

void add_fleet_options(const Arguments& arguments, FleetOptions& options) {
    const auto nodes =
        arguments
            .add_option("--fleet", options.nodes,
                        "Ask every host of this nodes.yaml by ssh, and tell causes, not peers")
            .type_name("FILE");
    const auto samples = arguments
                             .add_option("--samples", options.folder,
                                         "Instead of asking, read DIR/NODE.json or DIR/NODE.state")
                             .type_name("DIR")
                             .needs(nodes);
    arguments
        .add_option("--keep", options.keep,
                    "Keep what each host told as DIR/NODE.state, for serve --samples")
        .type_name("DIR")
        .needs(nodes)
        .excludes(samples);
}

int run_fleet(const MonitorOptions& options, const Report& report) {
    const auto ask = load_symbol(WGKIT_MONITOR_FLEET_LIBRARY, ask_fleet_name, "ask a fleet");
    if (!ask) return cannot_tell(report, ask.error());
    Found found;
    reinterpret_cast<AskFleet> (*ask)(options, found, report);
    return conclude(options, std::move(found), std::nullopt, report);
}

} // namespace wgkit::tool::monitor
