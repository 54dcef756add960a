// wgkit-monitor: which WireGuard peers are really dead.
#include <array>

#include "common/app.hpp"
#include "monitor/compare.hpp"
#include "monitor/run.hpp"
#include "monitor/serve.hpp"

int main(int argc, char** argv) {
    using namespace wgkit::tool;
    constexpr std::array commands{
        Command{"", "Judge the peers of this machine", monitor::setup_run},
        Command{"compare", "Tell which way a tunnel is cut, from both of its ends",
                monitor::setup_compare},
        Command{"serve", "Show a status page, metrics and JSON by HTTP", monitor::setup_serve},
    };
    return run("wgkit-monitor", "Tell which WireGuard peers are really dead", commands, argc, argv);
}
