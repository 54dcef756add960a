// `wgkit fleet bootstrap`: wgkit on nodes that have only ssh, and the keys that they keep.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "commands.hpp"
#include "common/json.hpp"
#include "fleet/common.hpp"
#include "fleet/package.hpp"
#include "fleet/record.hpp"
#include "wgkit/mesh_edit.hpp"
#include "wgkit/version.hpp"

namespace wgkit::tool::fleet {

namespace {

struct BootstrapOptions {
    FleetOptions fleet;
    std::vector<std::string> nodes;
    std::string from;
    bool force = false;
};

/// A node, and where it keeps keys that the fleet does not know yet.
struct Newcomer {
    Target target;
    std::vector<wgkit::mesh::LearnedKey> wanted;
    std::vector<std::string> interfaces; ///< of `wanted`
    std::string what;                    ///< what was done
    std::optional<Error> error;
};

/// Without an inventory, what is to be imported: as `fleet import` takes it.
Result<std::vector<Newcomer>> hosts(const std::vector<std::string>& words) {
    std::vector<Newcomer> out;
    for (const auto& word : words) {
        auto target = parse_target(word);
        if (!target) return target.error();
        Newcomer one;
        one.target = *std::move(target);
        if (one.target.name.empty()) one.target.name = one.target.ssh.host;
        out.push_back(std::move(one));
    }
    return out;
}

Result<std::vector<Newcomer>> newcomers(const wgkit::mesh::Fleet& fleet,
                                        const std::vector<std::string>& names) {
    std::vector<Newcomer> out;
    std::set<std::string> left(names.begin(), names.end());
    for (const auto& network : fleet.inventory.networks)
        for (const auto& node : network.nodes) {
            const auto& name = node.name.value;
            if (std::find(names.begin(), names.end(), name) == names.end() || !node.managed)
                continue;
            left.erase(name);
            auto known = std::find_if(out.begin(), out.end(),
                                      [&](const Newcomer& one) { return one.target.name == name; });
            if (known == out.end()) {
                Newcomer one;
                one.target = {name, node.ssh};
                known = out.insert(out.end(), std::move(one));
            }
            const auto* lock = fleet.lock.find(network.name.value);
            const auto* line = lock != nullptr ? lock->find(name) : nullptr;
            const bool is_known = node.public_key || (line != nullptr && line->key);
            if (node.keys != wgkit::mesh::Custody::node || is_known) continue;
            known->wanted.push_back({network.name.value, name, {}});
            known->interfaces.push_back(node.interface);
        }
    if (!left.empty())
        return Error{
            Errc::not_found,
            fmt::format("{} has no node '{}' that is managed", fleet.paths.nodes, *left.begin()),
            "add it there first"};
    return out;
}

/// A change that waits would be undone by a program that is replaced meanwhile.
bool waits(const Reply& reply) {
    const auto& all = reply.answer.interfaces;
    return std::any_of(all.begin(), all.end(), [](const auto& one) { return one.pending; });
}

/// Brings the package there. Errors: those of the node's package manager; conflict if another wgkit
/// than what was brought answers.
Result<std::string> bring(const Newcomer& node, Transport& transport, const Package& package) {
    const auto ran = transport.run(node.target, package.command, package.content, package_patience);
    if (!ran) return ran.error();
    const auto said = last_line(*ran); // "wgkit 0.1.0"
    const auto brought = said.substr(said.rfind(' ') + 1);
    const auto reply = transport.call(node.target, request_for("state"));
    if (!reply.is_good()) return reply.error;
    if (reply.answer.version != brought)
        return Error{Errc::conflict,
                     fmt::format("{}: it got {}, but {} answers", node.target.name, brought,
                                 reply.answer.version),
                     fmt::format("another wgkit comes first in its PATH: try `ssh {} command -v "
                                 "wgkit`",
                                 address_of(node.target))};
    return brought;
}

void install(Newcomer& node, Transport& transport, const std::optional<Package>& package,
             bool force) {
    const auto reply = transport.call(node.target, request_for("state"));
    const bool is_other = reply.is_good() && reply.answer.version != wgkit::version;
    if (reply.is_good() && !is_other && !force) {
        node.what = "has it already";
        return;
    }
    if (!reply.is_good() && reply.trouble != Trouble::no_wgkit) {
        node.error = reply.error;
        return;
    }
    if (!package && is_other) {
        node.what = fmt::format("has {}; this machine has {}", reply.answer.version, version);
        return;
    }
    if (!package) {
        node.error = Error{Errc::not_found, reply.error.message,
                           "give the package or the folder to bring there: --from PATH"};
        return;
    }
    if (waits(reply)) {
        node.error =
            Error{Errc::conflict,
                  fmt::format("{}: a change waits for its confirmation there", node.target.name),
                  "confirm it, or wait until it has gone back"};
        return;
    }
    const auto brought = bring(node, transport, *package);
    if (!brought)
        node.error = brought.error();
    else if (*brought != version)
        node.what = fmt::format("got {}; this machine has {}", *brought, version);
    else
        node.what = fmt::format("got {}", *brought);
}

void learn_keys(Newcomer& node, Transport& transport) {
    if (node.error || node.wanted.empty()) return;
    auto request = request_for("key");
    for (const auto& interface : node.interfaces) request.files.push_back({interface, {}, {}, {}});
    const auto reply = transport.call(node.target, request);
    if (!reply.is_good()) {
        node.error = reply.error;
        return;
    }
    for (std::size_t i = 0; i < node.wanted.size(); ++i)
        for (const auto& one : reply.answer.interfaces)
            if (one.name == node.interfaces[i] && one.key) node.wanted[i].key = *one.key;
    node.what += ", has its key";
}

/// Nodes of the inventory, with the keys that the lock lacks. Errors: printed.
std::optional<std::vector<Newcomer>> nodes_of(const wgkit::mesh::Fleet& fleet,
                                              const std::vector<std::string>& names,
                                              const Report& report) {
    // That keys are missing is why we are here.
    Diagnostics others(fleet.diagnostics.file());
    for (const auto& one : fleet.diagnostics.all())
        if (one.severity == Severity::error && one.code != "missing-public-key")
            others.error(one.code, one.mark, one.message).hint = one.hint;
    if (others.errors() != 0) {
        report.findings(others, fleet.source);
        return std::nullopt;
    }
    auto nodes = newcomers(fleet, names);
    if (nodes) return *std::move(nodes);
    report.error(nodes.error());
    return std::nullopt;
}

int run_bootstrap(const BootstrapOptions& options, const Report& report) {
    const auto& inventory = options.fleet.nodes;
    const bool is_new = !std::filesystem::exists(inventory);
    const auto record = Record::lock(inventory);
    if (!record) return report.error(record.error());
    std::optional<std::vector<Newcomer>> nodes;
    const auto paths = wgkit::mesh::Paths::beside(inventory);
    if (is_new) {
        auto found = hosts(options.nodes);
        if (!found) return report.error(found.error());
        nodes = *std::move(found);
    } else {
        const auto fleet = wgkit::mesh::load(paths, wgkit::mesh::today());
        if (!fleet) return report.error(fleet.error());
        nodes = nodes_of(*fleet, options.nodes, report);
        if (!nodes) return exit_failed;
    }
    std::optional<Package> package;
    if (!options.from.empty()) {
        auto loaded = load_package(options.from);
        if (!loaded) return report.error(loaded.error());
        package = *std::move(loaded);
    }
    Transport transport{std::chrono::seconds(options.fleet.connect_timeout)};
    std::vector<Target> targets;
    for (const auto& node : *nodes) targets.push_back(node.target);
    for_each_target(targets, options.fleet.parallel, "bootstrapping", [&](std::size_t i) {
        install((*nodes)[i], transport, package, options.force);
        learn_keys((*nodes)[i], transport);
    });
    int status = exit_ok;
    std::vector<wgkit::mesh::LearnedKey> keys;
    std::vector<std::string> done;
    Json list = Json::array();
    for (const auto& node : *nodes) {
        list.push_back({{"node", node.target.name},
                        {"done", node.what},
                        {"error", node.error ? node.error->message : ""}});
        if (node.error) {
            status = report.error(*node.error);
            continue;
        }
        done.push_back(node.target.name);
        keys.insert(keys.end(), node.wanted.begin(), node.wanted.end());
        if (!options.fleet.json) fmt::print("{}: {}\n", node.target.name, node.what);
    }
    if (!keys.empty())
        if (auto entered = enter_keys(paths, keys, wgkit::mesh::today()); !entered)
            return report.error(entered.error());
    if (options.fleet.json) print(Json{{"schema", 1}, {"nodes", std::move(list)}});
    if (auto logged = record->log("bootstrap", done, status == exit_ok ? "done" : "failed", "");
        !logged)
        return report.error(logged.error());
    return status;
}

} // namespace

Action setup_bootstrap(Arguments arguments) {
    auto options = std::make_shared<BootstrapOptions>();
    arguments
        .add_option("NODE", options->nodes,
                    "Nodes of the inventory; without one, HOSTs as of import")
        .type_name("")
        .required();
    add_fleet_options(arguments, options->fleet);
    arguments
        .add_option("--from", options->from,
                    "What to bring there: a .deb, or a folder of programs and libraries")
        .type_name("PATH");
    arguments.add_flag("--force", options->force, "Bring it although it is there");
    return [options](const Report& report) { return run_bootstrap(*options, report); };
}

} // namespace wgkit::tool::fleet
