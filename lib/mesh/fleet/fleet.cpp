#include <algorithm>
#include <chrono>

#include "mesh/check/check.hpp"
#include "wgkit/files.hpp"
#include "wgkit/mesh.hpp"

namespace wgkit::mesh {

namespace {

Diagnostics check_lock_text(const std::string& text, const std::string& file, Lock& lock) {
    if (text.empty()) return Diagnostics(file);
    auto parsed = parse_lock(text, file);
    lock = std::move(parsed.lock);
    return std::move(parsed.diagnostics);
}

} // namespace

Paths Paths::beside(const std::string& nodes) {
    const auto slash = nodes.rfind('/');
    const std::string folder = slash == nodes.npos ? "" : nodes.substr(0, slash + 1);
    // fleet.yaml has fleet.lock.yaml, so that two inventories in one folder do not collide.
    const std::string name = nodes.substr(folder.size());
    const auto dot = name.rfind('.');
    return {nodes, folder + name.substr(0, dot) + ".lock.yaml", folder + "keys"};
}

Date today() { return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()); }

Fleet load_text(const Paths& paths, std::string nodes, std::string lock, Date today) {
    Fleet fleet;
    fleet.paths = paths;
    fleet.source = std::move(nodes);
    fleet.lock_text = std::move(lock);
    auto parsed = parse_inventory(fleet.source, paths.nodes);
    fleet.inventory = std::move(parsed.inventory);
    fleet.diagnostics = std::move(parsed.diagnostics);
    Lock before;
    fleet.diagnostics.append(check_lock_text(fleet.lock_text, paths.lock, before));
    // What the parser could not read would only cause findings that are not the owner's mistake.
    if (fleet.diagnostics.errors() != 0) return fleet;

    check_inventory(fleet.inventory, fleet.diagnostics);
    for (const auto& network : fleet.inventory.networks) {
        const LockedNetwork* known = before.find(network.name.value);
        fleet.lock.networks.push_back(reconcile(
            network, known != nullptr ? *known : LockedNetwork{}, today, fleet.diagnostics));
    }
    std::sort(fleet.lock.networks.begin(), fleet.lock.networks.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const auto& network : fleet.inventory.networks)
        check_network(network, *fleet.lock.find(network.name.value), today, fleet.diagnostics);
    if (fleet.diagnostics.errors() == 0) {
        for (const auto& network : fleet.inventory.networks) {
            fleet.plans.emplace_back(network, *fleet.lock.find(network.name.value), today);
            check_plan(fleet.plans.back(), fleet.diagnostics);
        }
    }
    fleet.diagnostics.sort();
    return fleet;
}

Result<Fleet> load(const Paths& paths, Date today) {
    auto nodes = files::read(paths.nodes);
    if (!nodes) return std::move(nodes).error();
    auto lock = files::read(paths.lock);
    if (!lock && lock.error().code != Errc::not_found) return std::move(lock).error();
    return load_text(paths, std::string(*nodes), lock ? std::string(*lock) : std::string(), today);
}

} // namespace wgkit::mesh
