#include <fmt/format.h>

#include <ctime>
#include <memory>

#include "agent/commands.hpp"
#include "common/http_library.hpp"
#include "common/json.hpp"
#include "util/host_name.hpp"
#include "wgkit/agent.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::agent {

namespace {

struct JoinCommandOptions {
    std::string token_file;
    wgkit::agent::JoinOptions join;
    bool json = false;
    bool insecure_permissions = false;
};

int run_join(JoinCommandOptions& options, const Report& report) {
    if (options.join.name.empty()) {
        const auto host = host_name();
        options.join.name = host.substr(0, host.find('.'));
    }
    options.join.now = std::time(nullptr);
    const auto token = files::read_secret(options.token_file, options.insecure_permissions);
    if (!token) return report.error(token.error());
    auto poster = load_http_poster();
    if (!poster) return report.error(poster.error());
    const auto joined = wgkit::agent::join(**poster, *token, options.join);
    if (!joined) return report.error(joined.error());
    if (options.json) {
        print({{"schema", 1},
               {"network", joined->network},
               {"node", joined->node},
               {"addresses", joined->addresses}});
        return exit_ok;
    }
    fmt::print("{} in {}: {}\n", joined->node, joined->network, fmt::join(joined->addresses, ", "));
    return exit_ok;
}

} // namespace

Action setup_join(Arguments arguments) {
    auto options = std::make_shared<JoinCommandOptions>();
    arguments.add_option("token", options->token_file, "A file with the join token; - is stdin")
        .type_name("FILE")
        .required();
    arguments.add_option("--name", options->join.name, "The node's name; default: the host's")
        .type_name("NAME");
    arguments
        .add_option("--endpoint", options->join.endpoint, "Where other nodes can call this one")
        .type_name("HOST:PORT");
    arguments.add_option("--dir", options->join.folder, "Where keys and the last state are kept")
        .type_name("DIR")
        .shows_default();
    arguments.add_flag("--json", options->json, "Print it as JSON");
    arguments.add_flag("--insecure-permissions", options->insecure_permissions,
                       "Accept a token file that others can read");
    return [options](const Report& report) { return run_join(*options, report); };
}

} // namespace wgkit::tool::agent
