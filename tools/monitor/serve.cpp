#include "monitor/serve.hpp"

#include <memory>

#include "common/loaded.hpp"
#include "monitor/store.hpp"

namespace wgkit::tool::monitor {

namespace {

int run_serve(ServeOptions options, const Report& report) {
    if (options.state.empty()) options.state = default_state_folder() + "/monitor.state";
    const auto serve = load_symbol(WGKIT_MONITOR_SERVE_LIBRARY, serve_name, "serve pages");
    if (!serve) return report.error(serve.error());
    return reinterpret_cast<Serve>(*serve)(options, report);
}

} // namespace

Action setup_serve(Arguments arguments) {
    auto options = std::make_shared<ServeOptions>();
    arguments
        .add_option("--listen", options->listen,
                    "Address and port; one that is not of this machine alone needs --auth-file")
        .shows_default()
        .type_name("ADDRESS:PORT");
    const auto state =
        arguments.add_option("--state", options->state, "The state file of wgkit monitor")
            .type_name("FILE");
    arguments
        .add_option("--samples", options->fleet,
                    "Show a fleet: DIR/NODE.state of each host, as --fleet --keep leaves them")
        .type_name("DIR")
        .excludes(state);
    arguments
        .add_option("--auth-file", options->auth_file,
                    "Ask for one of the lines USER:PASSWORD of this file")
        .type_name("FILE");
    arguments
        .add_option("--host", options->hosts,
                    "Also answer to this name, e.g. behind a proxy; may be repeated")
        .type_name("NAME");
    arguments
        .add_option("--max-age", options->max_age,
                    "/healthz fails if the monitor has not run for so many seconds")
        .range(1, 86400 * 366)
        .shows_default()
        .type_name("SECONDS");
    return [options](const Report& report) { return run_serve(*options, report); };
}

} // namespace wgkit::tool::monitor
