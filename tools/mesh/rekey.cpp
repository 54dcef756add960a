#include <fmt/format.h>

#include "commands.hpp"
#include "common/json.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::tool::mesh {

namespace {

struct RekeyOptions {
    std::vector<std::string> names;
    std::string nodes = "nodes.yaml";
    bool psk = false;
    bool reseed = false;
    bool finish = false;
    bool allow_open_keys = false;
    bool json = false;
};

int rekey_psks(const RekeyOptions& options, wgkit::mesh::Fleet& fleet, const Report& report) {
    const auto today = wgkit::mesh::today();
    const auto epochs = options.finish
                            ? wgkit::mesh::finish_psks(fleet, options.allow_open_keys, today)
                            : wgkit::mesh::advance_psks(fleet, options.names, options.reseed,
                                                        options.allow_open_keys, today);
    if (!epochs) return report.error(epochs.error());
    Json list = Json::array();
    for (const auto& one : *epochs) {
        list.push_back({{"network", one.network},
                        {"oldest", one.oldest},
                        {"newest", one.newest},
                        {"first_kept", one.first_kept}});
        if (!options.json)
            fmt::print("{}: nodes on PSK epochs {} to {}, masters kept from epoch {}\n",
                       one.network, one.oldest, one.newest, one.first_kept);
    }
    if (options.json) print({{"schema", 1}, {"psk_epochs", list}});
    return exit_ok;
}

int rekey_private_keys(const RekeyOptions& options, wgkit::mesh::Fleet& fleet,
                       const Report& report) {
    if (options.names.empty()) {
        report.error("no node is named", "name the nodes that get new keys, or give --psk");
        return exit_usage;
    }
    const auto done = wgkit::mesh::rekey_nodes(fleet, options.names, wgkit::mesh::today());
    if (!done) return report.error(done.error());
    Json list = Json::array();
    for (const auto& node : *done) {
        list.push_back({{"network", node.network},
                        {"node", node.name},
                        {"before", to_string(node.before)},
                        {"after", to_string(node.after)},
                        {"generation", node.generation}});
        if (!options.json)
            fmt::print("{}: {} -> {} (generation {})\n", node.name, to_string(node.before),
                       to_string(node.after), node.generation);
    }
    if (options.json)
        print({{"schema", 1}, {"rekeyed", list}});
    else
        report.note("next: render, and deploy to every peer of these nodes");
    return exit_ok;
}

int run_rekey(const RekeyOptions& options, const Report& report) {
    auto fleet = load(options.nodes, report);
    if (!fleet) return exit_failed;
    return options.psk || options.finish ? rekey_psks(options, *fleet, report)
                                         : rekey_private_keys(options, *fleet, report);
}

} // namespace

Action rekey(Arguments app) {
    auto options = std::make_shared<RekeyOptions>();
    app.add_option("node", options->names, "Nodes; with --psk all of them by default")
        .type_name("NODE");
    app.add_option("--nodes", options->nodes, "The inventory").type_name("FILE").shows_default();
    auto psk = app.add_flag("--psk", options->psk,
                            "Move to the next generation of preshared keys, not private keys");
    app.add_flag("--reseed", options->reseed,
                 "Start it from fresh randomness: after a leak of the master")
        .needs(psk);
    app.add_flag("--finish", options->finish,
                 "Erase the masters of generations that no node is on");
    app.add_flag("--insecure-permissions", options->allow_open_keys,
                 "Accept key files that others may read");
    app.add_flag("--json", options->json, "Print what was done as JSON");
    return [options](const Report& report) { return run_rekey(*options, report); };
}

} // namespace wgkit::tool::mesh
