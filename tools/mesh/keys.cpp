#include <fmt/format.h>

#include "commands.hpp"
#include "common/json.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::tool::mesh {

using wgkit::mesh::KeyAudit;
using wgkit::mesh::PskMode;

namespace {

struct KeysOptions {
    std::string nodes = "nodes.yaml";
    bool json = false;
};

Json mode_json(const std::optional<mode_t>& mode) {
    return mode ? Json(fmt::format("{:04o}", *mode)) : Json();
}

Json to_json(const KeyAudit& audit) {
    Json nodes = Json::array();
    for (const auto& one : audit.nodes)
        nodes.push_back({{"network", one.network},
                         {"node", one.node},
                         {"public_key", one.key ? Json(to_string(*one.key)) : Json()},
                         {"fingerprint", one.fingerprint},
                         {"age_days", one.age ? Json(*one.age) : Json()},
                         {"generation", one.generation},
                         {"custody", one.custody},
                         {"file", one.file},
                         {"mode", mode_json(one.mode)},
                         {"psk", to_string(one.psk)},
                         {"psk_epoch", one.psk == PskMode::per_pair ? Json(one.psk_epoch) : Json()},
                         {"problems", one.problems}});
    Json networks = Json::array();
    for (const auto& one : audit.networks)
        networks.push_back({{"network", one.network},
                            {"file", one.file},
                            {"mode", mode_json(one.mode)},
                            {"age_days", one.age ? Json(*one.age) : Json()},
                            {"first_epoch", one.first_epoch},
                            {"newest_epoch", one.newest_epoch},
                            {"stored_pairs", one.stored_pairs},
                            {"problems", one.problems}});
    return {{"schema", 1},
            {"nodes", nodes},
            {"networks", networks},
            {"orphans", audit.orphans},
            {"findings", audit.findings()}};
}

void print_table(const KeyAudit& audit) {
    std::size_t width = 4;
    for (const auto& one : audit.nodes)
        width = std::max(width, one.node.size() + 1 + one.network.size());
    fmt::print("{:<{}}  {:<16}  {:>8}  {:>3}  {:<9}  {:<4}  {}\n", "NODE", width, "FINGERPRINT",
               "AGE", "GEN", "CUSTODY", "MODE", "PSK");
    for (const auto& one : audit.nodes) {
        const std::string psk = one.psk == PskMode::per_pair
                                    ? fmt::format("per-pair, epoch {}", one.psk_epoch)
                                    : std::string(to_string(one.psk));
        fmt::print("{:<{}}  {:<16}  {:>8}  {:>3}  {:<9}  {:<4}  {}\n", one.node + "." + one.network,
                   width, one.key ? one.fingerprint : "no key yet",
                   one.age ? fmt::format("{} days", *one.age) : "-", one.generation, one.custody,
                   one.mode ? fmt::format("{:04o}", *one.mode) : "-", psk);
    }
    for (const auto& one : audit.networks) {
        if (one.first_epoch != 0)
            fmt::print("network {}: PSK master of {} days, mode {:04o}, from epoch {}, newest in "
                       "use {}\n",
                       one.network, one.age.value_or(0), one.mode.value_or(0), one.first_epoch,
                       one.newest_epoch);
        if (one.stored_pairs != 0)
            fmt::print("network {}: {} imported preshared keys\n", one.network, one.stored_pairs);
    }
}

int run_keys(const KeysOptions& options, const Report& report) {
    const auto fleet = load(options.nodes, report);
    if (!fleet) return exit_failed;
    const auto audit = wgkit::mesh::audit_keys(*fleet, wgkit::mesh::today());
    if (options.json) {
        print(to_json(audit));
    } else {
        print_table(audit);
        for (const auto& one : audit.nodes)
            for (const auto& problem : one.problems)
                report.warning(fmt::format("{}: {}", one.node, problem));
        for (const auto& one : audit.networks)
            for (const auto& problem : one.problems)
                report.warning(fmt::format("network {}: {}", one.network, problem));
        for (const auto& orphan : audit.orphans)
            report.warning(fmt::format("{} belongs to no node", orphan),
                           "delete it once you are sure that nothing needs it");
    }
    return audit.findings() == 0 ? exit_ok : exit_differences;
}

} // namespace

Action keys(Arguments app) {
    auto options = std::make_shared<KeysOptions>();
    add_nodes_argument(app, options->nodes);
    app.add_flag("--json", options->json, "Print the audit as JSON");
    return [options](const Report& report) { return run_keys(*options, report); };
}

} // namespace wgkit::tool::mesh
