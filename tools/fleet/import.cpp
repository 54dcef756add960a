// `wgkit fleet import`: a nodes.yaml of machines that run already.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "commands.hpp"
#include "common/json.hpp"
#include "fleet/record.hpp"
#include "fleet/survey.hpp"
#include "util/ascii.hpp"
#include "wgkit/mesh_import.hpp"

namespace wgkit::tool::fleet {

namespace {

struct ImportFleetOptions {
    FleetOptions fleet;
    std::vector<std::string> hosts;
    std::vector<std::string> interfaces;
    std::string network = "fleet";
    bool force = false;
};

/// What one node gives, or why it gives nothing.
Result<std::vector<wgkit::mesh::ImportFile>> files_of(const Target& target, const Reply& reply,
                                                      const ImportFleetOptions& options,
                                                      std::vector<std::string>& warnings) {
    std::vector<wgkit::mesh::ImportFile> files;
    for (const auto& one : reply.answer.interfaces) {
        const auto& wanted = options.interfaces;
        if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), one.name) == wanted.end())
            continue;
        if (!one.has_file) {
            warnings.push_back(fmt::format("{}: {} runs without a file in /etc/wireguard; left out",
                                           target.name, one.name));
            continue;
        }
        if (!one.key)
            return Error{Errc::not_found,
                         fmt::format("{}: the key of {} is not known there", target.name, one.name),
                         "bring the interface up first, or write its PrivateKey into its file"};
        if (!one.is_up) warnings.push_back(fmt::format("{}: {} is not up", target.name, one.name));
        if (one.drift != 0)
            warnings.push_back(fmt::format(
                "{}: {} does not run as its file says ({} changes); the file is what counts",
                target.name, one.name, one.drift));
        files.push_back({fmt::format("{}/etc/wireguard/{}.conf", target.name, one.name), one.config,
                         one.key, target.ssh});
    }
    if (files.empty())
        return Error{Errc::not_found,
                     fmt::format("{}: there is no interface to take over", target.name),
                     {}};
    return files;
}

int run_import(const ImportFleetOptions& options, const Report& report) {
    std::vector<Target> targets;
    for (const auto& host : options.hosts) {
        auto target = parse_target(host);
        if (!target) return report.error(target.error());
        targets.push_back(*std::move(target));
    }
    const auto& fleet = options.fleet;
    Transport transport{std::chrono::seconds(fleet.connect_timeout)};
    auto replies = call_all(transport, targets, fleet, "asking nodes",
                            [](std::size_t) { return request_for("export"); });
    std::vector<wgkit::mesh::ImportFile> files;
    std::vector<std::string> warnings;
    bool failed = false;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (targets[i].name.empty()) { // given by its address
            targets[i].name = replies[i].answer.host_name;
            if (const auto dot = targets[i].name.find('.'); dot != std::string::npos)
                targets[i].name.resize(dot);
            if (replies[i].is_good() && !ascii::is_dns_label(targets[i].name)) {
                report.error(
                    fmt::format("{}: it calls itself '{}'", targets[i].ssh.host, targets[i].name),
                    "write NAME=HOST");
                failed = true;
                continue;
            }
        }
        if (replies[i].trouble == Trouble::no_wgkit)
            replies[i].error.hint = fmt::format(
                "`wgkit fleet bootstrap --from PATH {}` brings it there", options.hosts[i]);
        auto taken = replies[i].is_good()
                         ? files_of(targets[i], replies[i], options, warnings)
                         : Result<std::vector<wgkit::mesh::ImportFile>>(replies[i].error);
        if (!taken) {
            report.error(taken.error());
            failed = true;
            continue;
        }
        for (auto& file : *taken) files.push_back(std::move(file));
    }
    for (const auto& warning : warnings) report.warning(warning);
    // A fleet that lacks a node would lose it with the first change.
    if (failed) {
        report.note("nothing was written");
        return exit_failed;
    }
    const auto imported = import_wg_quick(files, {options.network, wgkit::mesh::today()});
    if (!imported) return report.error(imported.error());
    for (const auto& one : imported->diagnostics.all()) report.warning(one.message, one.hint);
    const auto paths = wgkit::mesh::Paths::beside(fleet.nodes);
    const auto record = Record::lock(fleet.nodes);
    if (!record) return report.error(record.error());
    const auto written = write_import(*imported, paths, options.force);
    if (!written) return report.error(written.error());
    // Rendered at once: what the files could not tell, as the master of preshared keys, is made,
    // and every node is asked what would change. Nothing should.
    auto loaded = load_fleet(fleet.nodes, report);
    if (!loaded) return exit_failed;
    const auto nodes = survey(*loaded, transport, fleet, {}, false);
    if (!nodes) return report.error(nodes.error());
    std::size_t changes = 0;
    for (const auto& node : *nodes) {
        changes += node.changes();
        if (!node.reply.is_good()) return report.error(node.reply.error);
        if (node.changes() != 0)
            report.warning(fmt::format("{}: {} changes", node.target.name, node.changes()),
                           "`wgkit fleet plan` shows them");
    }
    std::vector<std::string> names;
    for (const auto& target : targets) names.push_back(target.name);
    if (auto logged = record->log("import", names, "done", fmt::format("{} changes", changes));
        !logged)
        return report.error(logged.error());
    std::size_t pairs = 0;
    for (const auto& one : imported->pairs) pairs += one.count;
    if (fleet.json)
        print(Json{{"schema", 1},
                   {"file", paths.nodes},
                   {"lock", paths.lock},
                   {"nodes", imported->node_count},
                   {"asked", targets.size()},
                   {"preshared_keys", pairs},
                   {"changes", changes},
                   {"diagnostics", to_json(imported->diagnostics)}});
    else
        fmt::print(
            "{}: {} nodes, {} of them reached over ssh, {} preshared keys; private keys stay "
            "where they are\n{} changes planned\n",
            paths.nodes, imported->node_count, targets.size(), pairs, changes);
    return exit_ok;
}

} // namespace

Action setup_import(Arguments arguments) {
    auto options = std::make_shared<ImportFleetOptions>();
    arguments.add_option("HOST", options->hosts, "Nodes, as [NAME=][USER@]HOST[:PORT] for ssh")
        .type_name("")
        .required();
    add_fleet_options(arguments, options->fleet);
    arguments
        .add_option("-i,--interface", options->interfaces,
                    "Take over only this interface; may be repeated")
        .type_name("IFACE");
    arguments
        .add_option("--network", options->network,
                    "Name of the network, where the files do not tell it")
        .type_name("NAME")
        .shows_default();
    arguments.add_flag("--force", options->force, "Replace the inventory and its lock");
    return [options](const Report& report) { return run_import(*options, report); };
}

} // namespace wgkit::tool::fleet
