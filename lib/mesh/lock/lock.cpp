#include "wgkit/lock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "mesh/inventory/field_reader.hpp"
#include "util/yaml.hpp"

namespace wgkit::mesh {

using yaml::Kind;
using yaml::Value;

namespace {

constexpr std::string_view header =
    "# Made by `wgkit mesh`: commit this file, do not edit it. It holds no secret.\n"
    "version: 1\n"
    "networks:\n";

template <class List>
auto* find_by_name(List& list, std::string_view name) {
    const auto at = std::lower_bound(
        list.begin(), list.end(), name,
        [](const auto& entry, std::string_view wanted) { return entry.name < wanted; });
    return at != list.end() && at->name == name ? &*at : nullptr;
}

template <class List>
void sort_by_name(List& list) {
    std::sort(list.begin(), list.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
}

LockedNode read_node(const std::string& name, const Value& map, Diagnostics& d) {
    LockedNode node{name, {}, {}, {}, 0, {}, 1};
    for (const auto& [key, mark, value] : map.members) {
        if (key == "ipv4")
            node.ipv4 = field::address(value, Family::ipv4, d);
        else if (key == "ipv6")
            node.ipv6 = field::address(value, Family::ipv6, d);
        else if (key == "key")
            node.key = field::public_key(value, d);
        else if (key == "generation")
            node.generation = field::number(value, 0, 0xFFFFFFFF, d).value_or(0);
        else if (key == "keyed")
            node.keyed = field::date(value, d);
        else if (key == "psk_epoch")
            node.psk_epoch = field::number(value, 1, 0xFFFFFFFF, d).value_or(1);
        else
            field::unknown(key, mark, {"ipv4", "ipv6", "key", "generation", "keyed", "psk_epoch"},
                           d);
    }
    return node;
}

Tombstone read_tombstone(const std::string& name, const Value& map, Diagnostics& d) {
    Tombstone stone{name, {}, {}, {}};
    for (const auto& [key, mark, value] : map.members) {
        if (key == "ipv4")
            stone.ipv4 = field::address(value, Family::ipv4, d);
        else if (key == "ipv6")
            stone.ipv6 = field::address(value, Family::ipv6, d);
        else if (key == "freed")
            stone.freed = field::date(value, d).value_or(Date{});
        else
            field::unknown(key, mark, {"ipv4", "ipv6", "freed"}, d);
    }
    return stone;
}

std::string read_check(const Value& value, Diagnostics& d) {
    const auto text = field::text(value, d).value_or("");
    if (text.find_first_not_of("0123456789abcdef") != text.npos)
        field::bad(value, d, "the check of a PSK master is hexadecimal");
    return text;
}

LockedMaster read_master(const Value& map, Diagnostics& d) {
    LockedMaster master;
    for (const auto& [key, mark, value] : map.members) {
        if (key == "epoch")
            master.epoch = field::number(value, 1, 0xFFFFFFFF, d).value_or(1);
        else if (key == "check")
            master.check = read_check(value, d);
        else if (key == "made")
            master.made = field::date(value, d).value_or(Date{});
        else
            field::unknown(key, mark, {"epoch", "check", "made"}, d);
    }
    return master;
}

void read_network(const Value& map, LockedNetwork& network, Diagnostics& d) {
    for (const auto& [key, mark, value] : map.members) {
        if (key == "psk_master") {
            if (field::expect(value, Kind::map, d)) network.psk_master = read_master(value, d);
            continue;
        }
        if (key != "nodes" && key != "tombstones") {
            field::unknown(key, mark, {"psk_master", "nodes", "tombstones"}, d);
            continue;
        }
        if (value.kind == Kind::null || !field::expect(value, Kind::map, d)) continue;
        for (const auto& [name, name_mark, entry] : value.members) {
            if (!field::expect(entry, Kind::map, d)) continue;
            if (key == "nodes")
                network.nodes.push_back(read_node(name, entry, d));
            else
                network.tombstones.push_back(read_tombstone(name, entry, d));
        }
    }
    sort_by_name(network.nodes);
    sort_by_name(network.tombstones);
}

void append_addresses(std::string& line, const std::optional<IpAddress>& ipv4,
                      const std::optional<IpAddress>& ipv6) {
    if (ipv4) line += fmt::format("ipv4: {}, ", to_string(*ipv4));
    if (ipv6) line += fmt::format("ipv6: \"{}\", ", to_string(*ipv6));
}

std::string node_line(const LockedNode& node) {
    std::string line = fmt::format("      {}: {{", yaml::quote(node.name));
    append_addresses(line, node.ipv4, node.ipv6);
    if (node.key) line += fmt::format("key: \"{}\", ", to_string(*node.key));
    line += fmt::format("generation: {}, ", node.generation);
    if (node.keyed) line += fmt::format("keyed: {}, ", to_string(*node.keyed));
    return line + fmt::format("psk_epoch: {}}}\n", node.psk_epoch);
}

} // namespace

LockedNode* LockedNetwork::find(std::string_view node) { return find_by_name(nodes, node); }
const LockedNode* LockedNetwork::find(std::string_view node) const {
    return find_by_name(nodes, node);
}
LockedNetwork* Lock::find(std::string_view network) { return find_by_name(networks, network); }
const LockedNetwork* Lock::find(std::string_view network) const {
    return find_by_name(networks, network);
}

ParsedLock parse_lock(std::string_view text, const std::string& file) {
    ParsedLock parsed{{}, Diagnostics(file)};
    Diagnostics& d = parsed.diagnostics;
    const Value root = yaml::parse(text, d);
    if (d.errors() != 0 || !field::expect(root, Kind::map, d)) return parsed;
    const Value* version = root.find("version");
    if (version == nullptr) d.error("missing-field", root.mark, "the file has no version");
    for (const auto& [key, mark, value] : root.members) {
        if (key == "version") {
            field::number(value, 1, 1, d);
        } else if (key != "networks") {
            field::unknown(key, mark, {"version", "networks"}, d);
        } else if (value.kind != Kind::null && field::expect(value, Kind::map, d)) {
            for (const auto& [name, name_mark, entry] : value.members) {
                parsed.lock.networks.push_back({name, {}, {}});
                if (entry.kind != Kind::null && field::expect(entry, Kind::map, d))
                    read_network(entry, parsed.lock.networks.back(), d);
            }
        }
    }
    sort_by_name(parsed.lock.networks);
    return parsed;
}

std::string to_text(const Lock& lock) {
    std::string text(header);
    for (const auto& network : lock.networks) {
        text += fmt::format("  {}:\n", yaml::quote(network.name));
        if (const auto& master = network.psk_master)
            text += fmt::format("    psk_master: {{epoch: {}, check: \"{}\", made: {}}}\n",
                                master->epoch, master->check, to_string(master->made));
        text += "    nodes:\n";
        for (const auto& node : network.nodes) text += node_line(node);
        if (network.tombstones.empty()) continue;
        text += "    tombstones:\n";
        for (const auto& stone : network.tombstones) {
            text += fmt::format("      {}: {{", yaml::quote(stone.name));
            append_addresses(text, stone.ipv4, stone.ipv6);
            text += fmt::format("freed: {}}}\n", to_string(stone.freed));
        }
    }
    return text;
}

} // namespace wgkit::mesh
