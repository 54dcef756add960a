#include "wgkit/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "mesh/fleet/delta.hpp"
#include "mesh/output/output_tree.hpp"
#include "mesh/render/render_jobs.hpp"
#include "mesh/secrets/custody.hpp"

namespace wgkit::mesh {

namespace {

using Kind = Change::Kind;
using Paths_ = std::set<std::string>;

/// Paths of all files that the fleet's nodes have.
Paths_ wanted_paths(const Fleet& fleet, const RenderOptions& options) {
    Paths_ paths;
    for (const auto& plan : fleet.plans)
        for (NodeIndex i = 0; i < plan.size(); ++i)
            if (has_files(plan, i))
                for (const auto& path : file_paths(plan, i, options.format))
                    paths.insert(fmt::format("{}/{}", plan.member(i).node->name.value, path));
    return paths;
}

/// Would render make a private key for this node?
bool needs_key(const Fleet& fleet, const std::string& network, const LockedNode& locked) {
    for (const auto& plan : fleet.plans) {
        if (plan.network().name.value != network) continue;
        const auto index = plan.find(locked.name);
        return index && keeps_key_here(*plan.member(*index).node)
               && !KeyStore(fleet.paths.keys, network, true).has_key(locked.name);
    }
    return false;
}

/// What the lock gains and loses.
void add_lock_changes(const Fleet& fleet, std::vector<Change>& changes) {
    if (!fleet.lock_changed()) return;
    Change change{fleet.lock_text.empty() ? Kind::create : Kind::update, fleet.paths.lock, {}};
    const Lock before = parse_lock(fleet.lock_text, fleet.paths.lock).lock;
    for (const auto& network : fleet.lock.networks) {
        const LockedNetwork* known = before.find(network.name);
        for (const auto& node : network.nodes)
            if (known == nullptr || known->find(node.name) == nullptr)
                change.details.push_back(fmt::format(
                    "+ node {}{}{}{}", node.name, node.ipv4 ? " " + to_string(*node.ipv4) : "",
                    node.ipv6 ? " " + to_string(*node.ipv6) : "",
                    needs_key(fleet, network.name, node) ? ", with a new key" : ""));
        for (const auto& stone : network.tombstones)
            if (known != nullptr && known->find(stone.name) != nullptr
                && network.find(stone.name) == nullptr)
                change.details.push_back(fmt::format("- node {}", stone.name));
    }
    if (change.details.empty()) change.details.emplace_back("~ addresses or tombstones");
    changes.push_back(std::move(change));
}

/// Details of updates by path, from comparing with the inventory of the last render.
Result<std::map<std::string, std::vector<std::string>>>
compare_with_snapshot(const Fleet& fleet, const OutputTree& tree, const RenderOptions& options) {
    auto nodes = tree.snapshot("nodes.yaml");
    if (!nodes) return std::move(nodes).error();
    auto lock = tree.snapshot("lock.yaml");
    if (!lock) return std::move(lock).error();
    const Fleet before = load_text(fleet.paths, std::move(*nodes), std::move(*lock), options.today);
    std::map<std::string, std::vector<std::string>> details;
    for (const auto& plan : fleet.plans) {
        for (const auto& old_plan : before.plans) {
            if (old_plan.network().name.value != plan.network().name.value) continue;
            for (auto& [node, delta] : compare(old_plan, plan, options.format))
                for (auto& [path, lines] : delta.details)
                    details[fmt::format("{}/{}", node, path)] = std::move(lines);
        }
    }
    return details;
}

/// Paths whose content would change, from rendering everything.
Result<std::map<std::string, std::vector<std::string>>>
compare_content(Fleet& fleet, const OutputTree& tree, const RenderOptions& options) {
    std::size_t created = 0;
    const KeyOptions keys{KeyPolicy::peek, options.allow_open_keys, options.today, options.threads};
    auto secrets = load_secrets(fleet, keys, created);
    if (!secrets) return std::move(secrets).error();
    auto jobs = list_jobs(fleet, {});
    if (!jobs) return std::move(jobs).error();
    const auto results = run_jobs(
        fleet, *secrets, options, *jobs,
        [&](const std::string& path, std::string_view content,
            mode_t mode) -> Result<OutputTree::Put> { return tree.compare(path, content, mode); });
    if (!results) return results.error();
    std::map<std::string, std::vector<std::string>> details;
    for (const auto& result : *results)
        for (const auto& file : result.files)
            if (file.written) details[file.entry.path] = {"~ content"};
    return details;
}

} // namespace

Result<std::vector<Change>> plan_changes(Fleet& fleet, const RenderOptions& options) {
    if (fleet.diagnostics.errors() != 0)
        return Error{Errc::invalid, fmt::format("{} has errors", fleet.paths.nodes), {}};
    if (auto there = check_custody(fleet, options.allow_open_keys); !there)
        return std::move(there).error();
    auto tree = OutputTree::open(options.out);
    if (!tree) return std::move(tree).error();

    std::vector<Change> changes;
    add_lock_changes(fleet, changes);
    const Paths_ wanted = wanted_paths(fleet, options);
    std::map<std::string, std::vector<std::string>> updates;
    const std::string origin = origin_of(fleet.source, fleet.lock_text, options.format);
    const std::string& last = tree->before().origin;
    if (last != origin) {
        const bool same_renderer = renderer_of(last) == renderer_of(origin);
        auto compared = same_renderer ? compare_with_snapshot(fleet, *tree, options)
                                      : compare_content(fleet, *tree, options);
        if (!compared) return std::move(compared).error();
        updates = std::move(*compared);
    }
    for (const auto& path : tree->drift()) {
        const ManifestEntry* entry = tree->before().find(path);
        if (wanted.contains(path) && !updates.contains(path) && entry != nullptr)
            updates[path] = {"~ changed or removed since it was rendered"};
    }
    for (const auto& path : wanted) {
        const auto update = updates.find(path);
        if (tree->before().find(path) == nullptr)
            changes.push_back({Kind::create, path, {}});
        else if (update != updates.end())
            changes.push_back({Kind::update, path, update->second});
    }
    for (const auto& entry : tree->before().entries)
        if (!wanted.contains(entry.path)) changes.push_back({Kind::remove, entry.path, {}});
    return changes;
}

} // namespace wgkit::mesh
