// The render operation: keys, lock, files, manifest, in this order, so that a run killed at any
// point leaves nothing that the next one cannot complete.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "mesh/fleet/fleet_guard.hpp"
#include "mesh/output/output_tree.hpp"
#include "mesh/render/render_jobs.hpp"
#include "mesh/secrets/custody.hpp"
#include "wgkit/files.hpp"
#include "wgkit/mesh.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::mesh {

namespace {

/// The manifest after this run. With `only`, what is known of the other nodes' files stays.
Manifest make_manifest(const std::vector<RenderJobResult>& results, const Manifest& before,
                       const RenderOptions& options, const std::string& origin) {
    Manifest manifest;
    for (const auto& result : results)
        for (const auto& file : result.files) manifest.entries.push_back(file.entry);
    if (options.only.empty()) {
        manifest.origin = origin;
    } else {
        for (const auto& entry : before.entries) {
            const auto node = entry.path.substr(0, entry.path.find('/'));
            if (std::find(options.only.begin(), options.only.end(), node) == options.only.end())
                manifest.entries.push_back(entry);
        }
    }
    std::sort(manifest.entries.begin(), manifest.entries.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return manifest;
}

void count(RenderSummary& summary, const std::vector<RenderJobResult>& results) {
    constexpr double rekey_after = 120; // WireGuard's REKEY_AFTER_TIME, in seconds
    std::size_t ends = 0;
    summary.cost.nodes = results.size();
    for (const auto& result : results) {
        ends += result.peers;
        summary.cost.keepalives_per_second += result.keepalives_per_second;
        for (const auto& file : result.files) {
            ++(file.written ? summary.files_written : summary.files_unchanged);
            summary.cost.config_bytes += file.entry.size;
        }
    }
    summary.cost.links = ends / 2;
    summary.cost.handshakes_per_second = static_cast<double>(summary.cost.links) / rekey_after;
}

/// Whether the fleet can be rendered, and nobody else is at work on it.
Result<UniqueFd> begin(const Fleet& fleet, const RenderOptions& options) {
    if (fleet.diagnostics.errors() != 0)
        return Error{Errc::invalid, fmt::format("{} has errors", fleet.paths.nodes), {}};
    auto guard = guard_fleet(fleet);
    if (!guard) return guard;
    if (options.locked && fleet.lock_changed())
        return Error{Errc::conflict,
                     fmt::format("{} is not up to date, but --locked allows no change to it",
                                 fleet.paths.lock),
                     "run `wgkit mesh render` without --locked and commit the lock"};
    return guard;
}

/// Makes what is missing, and then writes the lock.
Result<std::vector<NetworkSecrets>> obtain_secrets(Fleet& fleet, const RenderOptions& options,
                                                   RenderSummary& summary) {
    const KeyOptions keys{options.locked ? KeyPolicy::locked : KeyPolicy::make,
                          options.allow_open_keys, options.today, options.threads};
    auto secrets = load_secrets(fleet, keys, summary.keys_created);
    if (!secrets) return secrets;
    auto lock_written = write_lock(fleet);
    if (!lock_written) return std::move(lock_written).error();
    summary.lock_written = *lock_written;
    return secrets;
}

} // namespace

namespace {

/// The files of some nodes, in memory.
Result<std::vector<NodeFile>> files_of(const Fleet& fleet,
                                       const std::vector<NetworkSecrets>& secrets,
                                       const RenderOptions& options,
                                       const std::vector<RenderJob>& jobs) {
    std::map<std::string, SecretString> contents;
    std::mutex mutex; // guards `contents`
    const auto results = run_jobs(
        fleet, secrets, options, jobs,
        [&](const std::string& path, std::string_view content, mode_t) -> Result<OutputTree::Put> {
            const std::lock_guard lock(mutex);
            contents.emplace(path, content);
            OutputTree::Put put;
            put.entry.path = path;
            return put;
        });
    if (!results) return results.error();
    std::vector<NodeFile> files;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const Plan& plan = fleet.plans[jobs[i].network];
        const Node& node = *plan.member(jobs[i].node).node;
        for (const auto& put : (*results)[i].files) {
            const std::string& path = put.entry.path;
            files.push_back({plan.network().name.value, node.name.value, node.interface,
                             path.substr(path.find('/') + 1), std::move(contents[path])});
        }
    }
    return files;
}

} // namespace

Result<std::vector<NodeFile>> render_files(Fleet& fleet, const RenderOptions& options) {
    const auto guard = begin(fleet, options);
    if (!guard) return guard.error();
    const auto jobs = list_jobs(fleet, options.only);
    if (!jobs) return jobs.error();
    RenderSummary unused;
    const auto secrets = obtain_secrets(fleet, options, unused);
    if (!secrets) return secrets.error();
    return files_of(fleet, *secrets, options, *jobs);
}

Result<std::vector<NodeFile>> render_with_keys(Fleet& fleet, const std::vector<LearnedKey>& keys,
                                               const RenderOptions& options) {
    RenderOptions locked = options;
    locked.locked = true;
    const auto guard = begin(fleet, locked);
    if (!guard) return guard.error();
    const auto jobs = list_jobs(fleet, options.only);
    if (!jobs) return jobs.error();
    std::size_t created = 0;
    auto secrets = load_secrets(
        fleet, {KeyPolicy::locked, options.allow_open_keys, options.today, options.threads},
        created);
    if (!secrets) return std::move(secrets).error();
    for (const auto& learned : keys)
        if (auto* network = fleet.lock.find(learned.network))
            if (auto* node = network->find(learned.node)) node->key = learned.key;
    // A pair with a new key has a preshared key of its own, too: derived, not the one imported.
    for (std::size_t k = 0; k < secrets->size(); ++k)
        (*secrets)[k].pairs.erase_if([&](const std::string& a, const std::string& b) {
            return std::any_of(keys.begin(), keys.end(), [&](const LearnedKey& one) {
                return one.network == fleet.inventory.networks[k].name.value
                       && (one.node == a || one.node == b);
            });
        });
    return files_of(fleet, *secrets, options, *jobs);
}

Result<RenderSummary> render(Fleet& fleet, const RenderOptions& options) {
    auto guard = begin(fleet, options);
    if (!guard) return std::move(guard).error();
    auto jobs = list_jobs(fleet, options.only);
    if (!jobs) return std::move(jobs).error();
    auto tree = OutputTree::open(options.out);
    if (!tree) return std::move(tree).error();

    RenderSummary summary;
    auto secrets = obtain_secrets(fleet, options, summary);
    if (!secrets) return std::move(secrets).error();

    auto results = run_jobs(fleet, *secrets, options, *jobs,
                            [&](const std::string& path, std::string_view content, mode_t mode) {
                                return tree->put(path, content, mode);
                            });
    if (!results) return std::move(results).error();
    count(summary, *results);
    const Manifest manifest =
        make_manifest(*results, tree->before(), options,
                      origin_of(fleet.source, fleet.lock_text, options.format));
    auto removed = tree->prune(manifest.entries);
    if (!removed) return std::move(removed).error();
    summary.files_removed = *removed;
    auto finished =
        tree->finish(manifest, {{"nodes.yaml", fleet.source}, {"lock.yaml", fleet.lock_text}});
    if (!finished) return std::move(finished).error();
    return summary;
}

} // namespace wgkit::mesh
