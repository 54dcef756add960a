#include "operator/inventory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "util/yaml.hpp"

namespace wgkit::agent {

using nlohmann::json;

namespace {

/// How nodes are reached and where keys are is the operator's business; commands go nowhere.
bool stays_here(std::string_view field) {
    return field == "hooks" || field == "ssh" || field == "keys" || field == "policy"
           || field == "public_key";
}

json to_json(const yaml::Value& value, bool& left_hooks_out) {
    switch (value.kind) {
    case yaml::Kind::null:
        return nullptr;
    case yaml::Kind::scalar:
        return value.scalar;
    case yaml::Kind::sequence: {
        auto list = json::array();
        for (const auto& item : value.items) list.push_back(to_json(item, left_hooks_out));
        return list;
    }
    case yaml::Kind::map:
        break;
    }
    auto object = json::object();
    for (const auto& member : value.members) {
        if (member.key == "hooks") left_hooks_out = true;
        if (!stays_here(member.key)) object[member.key] = to_json(member.value, left_hooks_out);
    }
    return object;
}

Result<void> check(const mesh::Fleet& fleet) {
    for (const auto& finding : fleet.diagnostics.all())
        if (finding.severity == Severity::error)
            return Error{Errc::invalid, fmt::format("{}: {}", fleet.paths.nodes, finding.message),
                         "`wgkit mesh check` tells everything"};
    if (fleet.inventory.networks.size() != 1)
        return Error{Errc::invalid, fmt::format("{} has several networks", fleet.paths.nodes),
                     "a store carries one; make a file for each"};
    for (const auto& node : fleet.inventory.networks[0].nodes)
        if (node.psk == mesh::PskMode::per_pair)
            return Error{Errc::invalid,
                         fmt::format("{} uses preshared keys, which a store does not carry",
                                     node.name.value),
                         "set psk: none, or psk: external"};
    return {};
}

/// The inventory's own, for nodes that a render has not seen yet; else the lock's.
std::optional<PublicKey> key_of(const mesh::Network& network, const mesh::LockedNode& locked) {
    for (const auto& node : network.nodes)
        if (node.name.value == locked.name && node.public_key) return node.public_key->value;
    return locked.key;
}

Result<trust::NodeRecord> make_record(const yaml::Value& value, const mesh::Network& network,
                                      const mesh::LockedNetwork& lock, bool& left_hooks_out) {
    json fields = to_json(value, left_hooks_out);
    trust::NodeRecord record;
    record.name = fields.value("name", "");
    const auto* locked = lock.find(record.name);
    const auto key = locked != nullptr ? key_of(network, *locked) : std::nullopt;
    if (!key)
        return Error{Errc::not_found, fmt::format("{} has no key yet", record.name),
                     "run `wgkit mesh render` first: it makes the keys"};
    record.key = *key;
    record.generation = std::max(locked->generation, 1U);
    record.ipv4 = locked->ipv4;
    record.ipv6 = locked->ipv6;
    for (const char* name : {"name", "ipv4", "ipv6"}) fields.erase(name);
    record.fields = fields.dump();
    if (trust::to_json(record).size() > trust::max_record_bytes)
        return Error{Errc::invalid,
                     fmt::format("the record of {} is larger than {} bytes", record.name,
                                 trust::max_record_bytes),
                     "move what nodes share to groups"};
    return record;
}

} // namespace

Result<PublishedInventory> split_inventory(const mesh::Fleet& fleet) {
    if (auto good = check(fleet); !good) return good.error();
    PublishedInventory out;
    out.network = fleet.inventory.networks[0].name.value;
    const auto* lock = fleet.lock.find(out.network);
    Diagnostics diagnostics(fleet.paths.nodes);
    const yaml::Value root = yaml::parse(fleet.source, diagnostics);
    if (const auto* nodes = root.find("nodes"))
        for (const auto& node : nodes->items) {
            auto record = make_record(node, fleet.inventory.networks[0], *lock, out.left_hooks_out);
            if (!record) return record.error();
            out.records.push_back(*std::move(record));
        }
    json rest = to_json(root, out.left_hooks_out);
    rest.erase("nodes");
    // One network, however it was written.
    if (const auto networks = rest.find("networks"); networks != rest.end()) {
        rest["network"] = networks->at(0);
        rest.erase("networks");
    }
    out.nodes_yaml = rest.dump();
    return out;
}

} // namespace wgkit::agent
