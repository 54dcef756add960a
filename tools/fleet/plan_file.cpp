#include "fleet/plan_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/json.hpp"
#include "crypto/sha256.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::fleet {

namespace {

std::string inventory_hash(const wgkit::mesh::Fleet& fleet) {
    return crypto::sha256_hex(crypto::sha256_hex(fleet.source)
                              + crypto::sha256_hex(fleet.lock_text));
}

/// Stands for the rules of a node among its interfaces.
constexpr const char* firewall_item = "(firewall)";

std::string text_hash(const wgkit::fleet::WantedFile& file) {
    const auto hash = crypto::sha256_hex(file.config);
    return file.settings.empty() ? hash : crypto::sha256_hex(hash + file.settings);
}

const PlanFile::Item* find(const PlanFile& plan, const std::string& node,
                           const std::string& interface) {
    for (const auto& item : plan.items)
        if (item.node == node && item.interface == interface) return &item;
    return nullptr;
}

} // namespace

PlanFile make_plan(const wgkit::mesh::Fleet& fleet, const std::vector<Surveyed>& nodes) {
    PlanFile plan;
    plan.inventory_hash = inventory_hash(fleet);
    for (const auto& node : nodes)
        for (const auto& file : node.files)
            if (node.reply.is_good())
                plan.items.push_back({node.target.name, file.interface, text_hash(file),
                                      file.state_hash, node.changes() != 0});
    for (const auto& node : nodes)
        if (node.reply.is_good() && node.firewall)
            plan.items.push_back({node.target.name, firewall_item,
                                  crypto::sha256_hex(node.firewall->rules),
                                  node.firewall->state_hash, node.changes() != 0});
    return plan;
}

Result<void> write_plan(const PlanFile& plan, const std::string& path) {
    Json items = Json::array();
    for (const auto& item : plan.items)
        items.push_back({{"node", item.node},
                         {"interface", item.interface},
                         {"configHash", item.config_hash},
                         {"stateHash", item.state_hash},
                         {"changes", item.changes}});
    const Json json{{"schema", 1}, {"inventoryHash", plan.inventory_hash}, {"nodes", items}};
    return files::replace(path, json.dump(2) + "\n", 0644);
}

Result<PlanFile> read_plan(const std::string& path) {
    const auto text = files::read(path);
    if (!text) return text.error();
    const auto json = Json::parse(text->begin(), text->end(), nullptr, false);
    if (!json.is_object() || json.value("schema", 0) != 1 || !json.contains("inventoryHash"))
        return Error{Errc::invalid, fmt::format("{} is no plan", path),
                     "`wgkit fleet plan -o FILE` writes one"};
    PlanFile plan;
    plan.inventory_hash = json.value("inventoryHash", "");
    for (const auto& item : json.value("nodes", Json::array()))
        plan.items.push_back({item.value("node", ""), item.value("interface", ""),
                              item.value("configHash", ""), item.value("stateHash", ""),
                              item.value("changes", false)});
    return plan;
}

Result<void> hold_to_plan(const PlanFile& plan, const wgkit::mesh::Fleet& fleet,
                          std::vector<Surveyed>& nodes) {
    if (plan.inventory_hash != inventory_hash(fleet))
        return Error{
            Errc::conflict,
            fmt::format("{} or its lock have changed since the plan was made", fleet.paths.nodes),
            "make a new plan"};
    std::erase_if(nodes, [&](const Surveyed& node) {
        return node.files.empty()
               || find(plan, node.target.name, node.files.front().interface) == nullptr;
    });
    for (auto& node : nodes) {
        const auto hold = [&](const std::string& what, const std::string& hash,
                              std::string& state_hash) -> Result<void> {
            const auto* item = find(plan, node.target.name, what);
            if (item == nullptr || item->config_hash != hash)
                return Error{Errc::conflict,
                             fmt::format("{}: the plan is for another file", node.target.name),
                             "its preshared keys or wgkit itself have changed; make a new plan"};
            // What an interrupted run has already done is no longer what it was, and need not be.
            if (node.reply.is_good() && node.changes() != 0) state_hash = item->state_hash;
            return {};
        };
        for (auto& file : node.files)
            if (auto held = hold(file.interface, text_hash(file), file.state_hash); !held)
                return held;
        if (node.firewall)
            if (auto held = hold(firewall_item, crypto::sha256_hex(node.firewall->rules),
                                 node.firewall->state_hash);
                !held)
                return held;
    }
    return {};
}

} // namespace wgkit::tool::fleet
