// nodes.yaml -> Inventory. Settings come in layers: the network's own, `defaults:`, the groups of
// the node's tags in their order, the node, and the node's settings for this network; the later
// layer wins field by field.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "mesh/inventory/field_reader.hpp"
#include "mesh/inventory/node_reader.hpp"
#include "mesh/inventory/topology_reader.hpp"
#include "util/ascii.hpp"
#include "util/yaml.hpp"
#include "wgkit/inventory.hpp"

namespace wgkit::mesh {

using yaml::Kind;
using yaml::Value;

namespace {

const std::vector<std::string_view> file_fields = {
    "version", "network", "networks", "defaults", "groups", "nodes", "policy"}; // read by lib/fw
const std::vector<std::string_view> network_fields = {"name", "interface", "ipv4", "ipv6",
                                                      "port", "topology",  "psk",  "keys"};

/// A network and what its nodes start from.
struct NetworkEntry {
    Network network;
    Node base;
};

std::optional<Located<Prefix>> read_pool(const Value& value, Family family, Diagnostics& d) {
    const auto pool = field::prefix(value, d);
    if (!pool) return std::nullopt;
    if (pool->address.family() != family) {
        d.error(
            "bad-value", value.mark,
            fmt::format("{} is not an IPv{} prefix", to_string(*pool), static_cast<int>(family)));
        return std::nullopt;
    }
    return Located<Prefix>{*pool, value.mark};
}

NetworkEntry read_network(const Value& map, Diagnostics& d) {
    NetworkEntry entry;
    Network& network = entry.network;
    Node& base = entry.base;
    base.interface = "wg0";
    network.name.mark = map.mark;
    if (!field::expect(map, Kind::map, d)) return entry;
    for (const auto& [key, mark, value] : map.members) {
        if (key == "name") {
            network.name = {field::label(value, d).value_or(""), value.mark};
        } else if (key == "interface") {
            base.interface = field::interface(value, d).value_or("wg0");
            base.marks.interface = value.mark;
        } else if (key == "ipv4") {
            network.ipv4 = read_pool(value, Family::ipv4, d);
        } else if (key == "ipv6") {
            network.ipv6 = read_pool(value, Family::ipv6, d);
        } else if (key == "port") {
            network.port = field::port(value, d).value_or(network.port);
        } else if (key == "topology") {
            network.topology = read_topology(value, d);
        } else if (key == "psk") {
            network.psk = base.psk = read_psk_mode(value, d);
        } else if (key == "keys") {
            static constexpr field::Choice<Custody> places[] = {{"local", Custody::local},
                                                                {"node", Custody::node}};
            base.keys = field::choice(value, places, d).value_or(Custody::local);
            base.marks.keys = value.mark;
        } else {
            field::unknown(key, mark, network_fields, d);
        }
    }
    if (map.find("name") == nullptr)
        d.error("missing-field", map.mark, "a network needs a name").hint = "add `name: prod`";
    if (map.find("ipv4") == nullptr && map.find("ipv6") == nullptr)
        d.error("missing-field", map.mark, "a network needs an address pool").hint =
            "add `ipv4: 10.10.0.0/24` or `ipv6: fd00:10::/64`";
    if (map.find("topology") == nullptr)
        network.topology = {{TopologyRule::Kind::mesh, {{"all", map.mark}}, {}, map.mark}};
    return entry;
}

std::vector<NetworkEntry> read_networks(const Value& root, Diagnostics& d) {
    std::vector<NetworkEntry> entries;
    const Value* one = root.find("network");
    const Value* many = root.find("networks");
    if (one != nullptr && many != nullptr) {
        d.error("bad-value", many->mark, "give either `network` or `networks`");
    } else if (one != nullptr) {
        entries.push_back(read_network(*one, d));
    } else if (many == nullptr) {
        d.error("missing-field", root.mark, "there is no network").hint =
            "add `network: {name: prod, ipv4: 10.10.0.0/24}`";
    } else if (field::expect(*many, Kind::sequence, d)) {
        for (const auto& item : many->items) entries.push_back(read_network(item, d));
    }
    return entries;
}

/// Checks shared settings once, whether or not a node uses them.
void check_shared(const Value* map, Diagnostics& d) {
    Node unused;
    if (map != nullptr && map->kind != Kind::null && field::expect(*map, Kind::map, d))
        apply_node_fields(*map, FieldScope::shared, unused, d);
}

struct Shared {
    const Value* defaults = nullptr;
    std::unordered_map<std::string_view, const Value*> groups; ///< by tag
};

Shared read_shared(const Value& root, Diagnostics& d) {
    Shared shared;
    shared.defaults = root.find("defaults");
    check_shared(shared.defaults, d);
    if (const Value* groups = root.find("groups");
        groups != nullptr && groups->kind != Kind::null && field::expect(*groups, Kind::map, d)) {
        for (const auto& member : groups->members) {
            check_shared(&member.value, d);
            shared.groups.emplace(member.key, &member.value);
        }
    }
    return shared;
}

/// Is the node in this network, and with which settings of its own? `networks:` of a node is a
/// list of names, or a mapping from names to settings; without it the node is in every network.
bool joins(const Value& node, const std::string& network, const Value*& settings) {
    settings = nullptr;
    const Value* networks = node.find("networks");
    if (networks == nullptr || networks->kind == Kind::null) return true;
    settings = networks->find(network);
    if (settings != nullptr) return true;
    for (const auto& item : networks->items)
        if (item.scalar == network) return true;
    return false;
}

void check_network_names(const Value& node, const std::vector<NetworkEntry>& entries,
                         Diagnostics& d) {
    const Value* networks = node.find("networks");
    if (networks == nullptr || networks->kind == Kind::null) return;
    std::vector<std::string_view> known;
    for (const auto& entry : entries) known.push_back(entry.network.name.value);
    const auto check = [&](std::string_view name, Mark mark) {
        for (const auto one : known)
            if (one == name) return;
        auto& found = d.error("unknown-network", mark, fmt::format("no network '{}'", name));
        if (const auto near = ascii::nearest(name, known))
            found.hint = fmt::format("did you mean '{}'?", *near);
    };
    if (networks->kind != Kind::map && !field::expect(*networks, Kind::sequence, d)) return;
    for (const auto& item : networks->items) check(item.scalar, item.mark);
    for (const auto& member : networks->members) check(member.key, member.key_mark);
}

Node read_node(const Value& map, const NetworkEntry& entry, const Shared& shared,
               const Value* settings, Diagnostics& d) {
    Node node = entry.base;
    node.name.mark = map.mark;
    if (const Value* tags = map.find("tags"))
        node.tags = field::texts(*tags, d).value_or(node.tags);
    if (shared.defaults != nullptr)
        apply_node_fields(*shared.defaults, FieldScope::shared, node, d);
    for (const auto& tag : node.tags)
        if (const auto group = shared.groups.find(tag.value); group != shared.groups.end())
            apply_node_fields(*group->second, FieldScope::shared, node, d);
    apply_node_fields(map, FieldScope::node, node, d);
    if (settings != nullptr && settings->kind != Kind::null
        && field::expect(*settings, Kind::map, d))
        apply_node_fields(*settings, FieldScope::network, node, d);

    if (map.find("name") == nullptr) d.error("missing-field", map.mark, "a node needs a name");
    if (node.underlays.empty()) node.underlays = {{"internet", {}}};
    // The listen port, in order: the node's own, its endpoint's, the network's.
    if (!node.port && node.endpoint() != nullptr)
        node.port = node.endpoint()->port != 0 ? node.endpoint()->port : entry.network.port;
    for (auto& underlay : node.underlays)
        if (underlay.endpoint && underlay.endpoint->value.port == 0)
            underlay.endpoint->value.port = *node.port;
    return node;
}

} // namespace

ParsedInventory parse_inventory(std::string_view text, const std::string& file) {
    ParsedInventory parsed{{file, {}}, Diagnostics(file)};
    Diagnostics& d = parsed.diagnostics;
    const Value root = yaml::parse(text, d);
    // A tree without its aliases' values would only cause findings that are not the owner's.
    const bool cut_short = std::any_of(d.all().begin(), d.all().end(), [](const Diagnostic& found) {
        return found.code == "alias-budget";
    });
    if (cut_short || (d.errors() != 0 && root.members.empty())) return parsed;
    if (!field::expect(root, Kind::map, d)) return parsed;
    for (const auto& member : root.members)
        if (std::find(file_fields.begin(), file_fields.end(), member.key) == file_fields.end())
            field::unknown(member.key, member.key_mark, file_fields, d);

    if (const Value* version = root.find("version"))
        field::number(*version, 1, 1, d);
    else
        d.error("missing-field", root.mark, "the file has no version").hint = "add `version: 1`";
    auto entries = read_networks(root, d);
    const Shared shared = read_shared(root, d);
    const Value* nodes = root.find("nodes");
    if (nodes == nullptr)
        d.error("missing-field", root.mark, "there are no nodes").hint = "add `nodes:` with names";
    else if (nodes->kind != Kind::null && field::expect(*nodes, Kind::sequence, d)) {
        for (const auto& item : nodes->items) {
            if (!field::expect(item, Kind::map, d)) continue;
            check_network_names(item, entries, d);
            for (auto& entry : entries)
                if (const Value* settings = nullptr;
                    joins(item, entry.network.name.value, settings))
                    entry.network.nodes.push_back(read_node(item, entry, shared, settings, d));
        }
    }
    for (auto& entry : entries) parsed.inventory.networks.push_back(std::move(entry.network));
    d.sort();
    return parsed;
}

} // namespace wgkit::mesh
