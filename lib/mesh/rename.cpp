#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "mesh/custody.hpp"
#include "mesh/fleet_guard.hpp"
#include "util/ascii.hpp"
#include "util/yaml.hpp"
#include "wgkit/files.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::mesh {

namespace {

/// Byte offset of a mark in a text.
std::size_t offset_of(std::string_view text, Mark mark) {
    std::size_t offset = 0;
    for (std::uint32_t line = 1; line < mark.line; ++line) offset = text.find('\n', offset) + 1;
    return offset + mark.column - 1;
}

/// Every place where the inventory says the node's name.
std::vector<Mark> mentions(const Inventory& inventory, const std::string& name) {
    std::vector<Mark> marks;
    const auto add = [&](const Located<std::string>& text) {
        if (text.value == name) marks.push_back(text.mark);
    };
    for (const auto& network : inventory.networks) {
        for (const auto& rule : network.topology) {
            for (const auto& term : rule.first) add(term);
            for (const auto& term : rule.second) add(term);
        }
        for (const auto& node : network.nodes) {
            add(node.name);
            if (node.exit_via) add(*node.exit_via);
            for (const auto& peer : node.peers) add(peer.peer);
        }
    }
    std::sort(marks.begin(), marks.end());
    marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
    return marks;
}

Result<std::string> edited(const Fleet& fleet, const std::string& from, const std::string& to) {
    std::string text = fleet.source;
    auto marks = mentions(fleet.inventory, from);
    for (auto mark = marks.rbegin(); mark != marks.rend();
         ++mark) { // from the end: marks stay true
        std::size_t at = offset_of(text, *mark);
        if (at < text.size() && (text[at] == '"' || text[at] == '\'')) ++at;
        if (text.compare(at, from.size(), from) != 0)
            return Error{Errc::invalid,
                         fmt::format("{}:{}:{}: cannot edit the name here", fleet.paths.nodes,
                                     mark->line, mark->column),
                         "write the name plainly, without anchor or alias"};
        text.replace(at, from.size(), to);
    }
    return text;
}

} // namespace

Result<void> rename_node(Fleet& fleet, const std::string& from, const std::string& to) {
    if (!ascii::is_dns_label(to))
        return Error{Errc::invalid, fmt::format("'{}' is not a DNS label", to),
                     "use letters, digits and inner hyphens, at most 63 characters"};
    bool known = false;
    for (const auto& plan : fleet.plans) {
        known |= plan.find(from).has_value();
        if (plan.find(to))
            return Error{Errc::exists, fmt::format("there is a node '{}' already", to), {}};
    }
    if (!known)
        return Error{
            Errc::not_found, fmt::format("{} has no node '{}'", fleet.paths.nodes, from), {}};
    auto guard = guard_fleet(fleet);
    if (!guard) return std::move(guard).error();
    auto text = edited(fleet, from, to);
    if (!text) return std::move(text).error();

    // The new name is added everywhere before the inventory switches to it, and the old one goes
    // last: at every point the name that the inventory has is complete.
    std::vector<std::string> old_files;
    for (auto& network : fleet.lock.networks) {
        const LockedNode* line = network.find(from);
        if (line == nullptr) continue;
        LockedNode copy = *line;
        copy.name = to;
        std::erase_if(network.tombstones, [&](const Tombstone& t) { return t.name == to; });
        network.nodes.push_back(std::move(copy));
        std::sort(network.nodes.begin(), network.nodes.end(),
                  [](const auto& a, const auto& b) { return a.name < b.name; });
        const KeyStore store(fleet.paths.keys, network.name, true);
        auto key = store.load_key(from);
        if (!key) return std::move(key).error();
        if (!*key) continue;
        if (auto done = store.replace_key(to, **key); !done) return done;
        old_files.push_back(store.key_path(from));
    }
    if (auto written = write_lock(fleet); !written) return std::move(written).error();
    if (auto written = files::replace(fleet.paths.nodes, *text, files::mode_of(fleet.paths.nodes));
        !written)
        return written;
    for (auto& network : fleet.lock.networks)
        std::erase_if(network.nodes, [&](const LockedNode& node) { return node.name == from; });
    if (auto written = write_lock(fleet); !written) return std::move(written).error();
    for (const auto& file : old_files) ::unlink(file.c_str());
    return {};
}

} // namespace wgkit::mesh
