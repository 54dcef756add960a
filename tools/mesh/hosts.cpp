#include <fmt/format.h>
#include <fmt/ranges.h>

#include "commands.hpp"
#include "common/json.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::tool::mesh {

namespace {

struct HostsOptions {
    std::string nodes = "nodes.yaml";
    bool json = false;
};

int run_hosts(const HostsOptions& options, const Report& report) {
    const auto fleet = load(options.nodes, report);
    if (!fleet) return exit_failed;
    const auto entries = wgkit::mesh::hosts(*fleet);
    if (options.json) {
        Json list = Json::array();
        for (const auto& entry : entries)
            list.push_back({{"address", to_string(entry.address)}, {"names", entry.names}});
        print({{"schema", 1}, {"hosts", list}});
        return exit_ok;
    }
    for (const auto& entry : entries)
        fmt::print("{} {}\n", to_string(entry.address), fmt::join(entry.names, " "));
    return exit_ok;
}

} // namespace

Action hosts(Arguments app) {
    auto options = std::make_shared<HostsOptions>();
    add_nodes_argument(app, options->nodes);
    app.add_flag("--json", options->json, "Print the entries as JSON");
    return [options](const Report& report) { return run_hosts(*options, report); };
}

} // namespace wgkit::tool::mesh
