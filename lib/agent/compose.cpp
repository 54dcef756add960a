#include "agent/compose.hpp"

#include <fmt/format.h>

#include "util/json_text.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::agent {

using nlohmann::json;

namespace {

constexpr const char* origin = "the published fleet";

json node_yaml(const trust::NodeRecord& record) {
    json node = json_text::parse(record.fields);
    if (!node.is_object()) node = json::object();
    node["name"] = record.name;
    node["public_key"] = to_string(record.key);
    if (record.ipv4) node["ipv4"] = to_string(*record.ipv4);
    if (record.ipv6) node["ipv6"] = to_string(*record.ipv6);
    return node;
}

mesh::LockedNode locked_node(const trust::NodeRecord& record, mesh::Date today) {
    mesh::LockedNode locked;
    locked.name = record.name;
    locked.ipv4 = record.ipv4;
    locked.ipv6 = record.ipv6;
    locked.key = record.key;
    locked.generation = record.generation;
    locked.keyed = today;
    return locked;
}

} // namespace

Result<mesh::Fleet> compose_fleet(const trust::FleetObject& fleet,
                                  std::span<const trust::NodeRecord> nodes, mesh::Date today) {
    json yaml = json_text::parse(fleet.nodes_yaml);
    if (!yaml.is_object()) return Error{Errc::invalid, "the published fleet is malformed", {}};
    mesh::Lock lock;
    lock.networks.emplace_back();
    const auto network = yaml.find("network");
    if (network != yaml.end() && network->is_object())
        lock.networks[0].name = network->value("name", "");
    auto list = json::array();
    for (const auto& record : nodes) {
        list.push_back(node_yaml(record));
        lock.networks[0].nodes.push_back(locked_node(record, today));
    }
    yaml["nodes"] = std::move(list);
    auto loaded =
        mesh::load_text({origin, origin, {}}, json_text::dump(yaml), to_text(lock), today);
    // There is a plan if all is well but, at most, that some have no path to each other.
    for (const auto& finding : loaded.diagnostics.all())
        if (finding.severity == Severity::error && loaded.plans.empty())
            return Error{Errc::invalid, fmt::format("{}: {}", origin, finding.message),
                         finding.hint};
    for (auto& one : loaded.inventory.networks)
        for (auto& node : one.nodes) node.hooks = {};
    return loaded;
}

Result<mesh::Fleet> compose_with_admitted(const trust::FleetObject& fleet,
                                          std::vector<trust::NodeRecord> nodes,
                                          std::span<const trust::NodeRecord> admitted,
                                          mesh::Date today, std::vector<std::string>& left_out) {
    const std::size_t approved = nodes.size();
    nodes.insert(nodes.end(), admitted.begin(), admitted.end());
    auto all = compose_fleet(fleet, nodes, today);
    if (all || admitted.empty()) return all;
    nodes.resize(approved);
    for (const auto& record : admitted) {
        nodes.push_back(record);
        if (compose_fleet(fleet, nodes, today)) continue;
        left_out.push_back(record.name);
        nodes.pop_back();
    }
    return compose_fleet(fleet, nodes, today);
}

Result<OwnConfig> own_config(const mesh::Fleet& fleet, std::string_view node,
                             const PrivateKey& key) {
    if (fleet.plans.empty()) return Error{Errc::invalid, "the published fleet has no network", {}};
    const auto& plan = fleet.plans.front();
    const auto index = plan.find(node);
    if (!index)
        return Error{
            Errc::not_found, fmt::format("the published fleet has no node '{}'", node), {}};
    const auto& member = plan.member(*index);
    if (!member.active)
        return Error{Errc::not_found, fmt::format("{} is disabled or has expired", node), {}};
    auto text = mesh::node_text(plan, *index, key);
    if (!text) return text.error();
    auto parsed = config::parse(*text, std::string(node));
    if (parsed.diagnostics.errors() != 0)
        return Error{Errc::invalid,
                     fmt::format("the configuration of {} has errors: {}", node,
                                 parsed.diagnostics.all().front().message),
                     {}};
    auto& interface = parsed.config.interface;
    for (auto* hooks :
         {&interface.pre_up, &interface.post_up, &interface.pre_down, &interface.post_down})
        hooks->clear();
    return OwnConfig{member.node->interface, std::move(parsed.config), member.forwards};
}

} // namespace wgkit::agent
