#include <sys/prctl.h>
#include <unistd.h>

#include <memory>

#include "agent/commands.hpp"
#include "common/http_library.hpp"
#include "common/service.hpp"
#include "wgkit/agent.hpp"

namespace wgkit::tool::agent {

namespace {

struct RunOptions {
    std::string folder = wgkit::agent::default_folder;
    bool quiet = false;
};

int run_forever(const RunOptions& options, const Report& report) {
    ::prctl(PR_SET_DUMPABLE, 0); // keys in no core file
    wgkit::agent::AgentOptions agent;
    agent.folder = options.folder;
    const auto stop = catch_end_signals();
    if (!stop) return report.error(stop.error());
    agent.stop = *stop;
    agent.tell = [&](bool is_trouble, const std::string& text) {
        if (is_trouble)
            report.warning(text);
        else if (!options.quiet)
            report.note(text);
    };
    agent.ready = [] { notify_service_manager("READY=1"); };
    auto requests = load_http_poster();
    if (!requests) return report.error(requests.error());
    auto watch = load_http_poster();
    if (!watch) return report.error(watch.error());
    const auto ended = wgkit::agent::run_agent(**requests, **watch, agent);
    ::close(agent.stop);
    return ended ? static_cast<int>(exit_ok) : report.error(ended.error());
}

} // namespace

Action setup_run(Arguments arguments) {
    auto options = std::make_shared<RunOptions>();
    arguments.add_option("--dir", options->folder, "Where keys and the last state are kept")
        .type_name("DIR")
        .shows_default();
    arguments.add_flag("-q,--quiet", options->quiet, "Say only what is wrong");
    return [options](const Report& report) { return run_forever(*options, report); };
}

} // namespace wgkit::tool::agent
