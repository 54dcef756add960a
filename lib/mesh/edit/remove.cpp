// A node out of the inventory: its block goes from the text, all else stays as it was written.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "mesh/fleet/fleet_guard.hpp"
#include "mesh/secrets/key_store.hpp"
#include "util/ascii.hpp"
#include "wgkit/files.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::mesh {

namespace {

std::size_t indent_of(std::string_view line) {
    const auto at = line.find_first_not_of(' ');
    return at == line.npos ? 0 : at;
}

bool is_blank(std::string_view line) {
    const auto text = ascii::trim(line);
    return text.empty() || text.front() == '#';
}

/// The text without the element of a block list that holds a line; nothing if it is in none.
std::optional<std::string> without_element(std::string_view text, std::uint32_t line_number) {
    const auto lines = ascii::split(text, '\n');
    std::size_t first = line_number - 1;
    const auto begins = [&](std::size_t i) {
        return ascii::trim(lines[i]).starts_with("- ") || ascii::trim(lines[i]) == "-";
    };
    const std::size_t inside = indent_of(lines[first]);
    while (!(begins(first) && (first == line_number - 1 || indent_of(lines[first]) < inside))) {
        if (first == 0) return std::nullopt;
        --first;
    }
    const std::size_t indent = indent_of(lines[first]);
    std::size_t end = first + 1;
    while (end < lines.size() && (is_blank(lines[end]) || indent_of(lines[end]) > indent)) ++end;
    // What stands in front of the next element belongs to that.
    while (end > first + 1 && is_blank(lines[end - 1])) --end;
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i >= first && i < end) continue;
        out += lines[i];
        if (i + 1 < lines.size()) out += '\n';
    }
    return out;
}

std::size_t count_nodes(const Fleet& fleet) {
    std::size_t count = 0;
    for (const auto& network : fleet.inventory.networks) count += network.nodes.size();
    return count;
}

} // namespace

Result<void> remove_node(Fleet& fleet, const std::string& name, Date today) {
    std::optional<Mark> mark;
    std::size_t places = 0;
    for (const auto& network : fleet.inventory.networks)
        for (const auto& node : network.nodes)
            if (node.name.value == name) {
                mark = node.name.mark;
                ++places;
            }
    if (!mark)
        return Error{
            Errc::not_found, fmt::format("{} has no node '{}'", fleet.paths.nodes, name), {}};
    const auto guard = guard_fleet(fleet);
    if (!guard) return guard.error();
    const auto text = without_element(fleet.source, mark->line);
    auto after = load_text(fleet.paths, text.value_or(std::string()), fleet.lock_text, today);
    if (!text || after.diagnostics.errors() != 0
        || count_nodes(after) + places != count_nodes(fleet)) {
        std::string why = "its place in the file is not a block of its own";
        for (const auto& one : after.diagnostics.all())
            if (text && one.severity == Severity::error) {
                why = fmt::format("without it, {}", one.message);
                break;
            }
        return Error{Errc::invalid,
                     fmt::format("{}:{}:{}: cannot take {} out: {}", fleet.paths.nodes, mark->line,
                                 mark->column, name, why),
                     "take it out by hand, with all that names it"};
    }
    // Killed between the two, the next command makes the tombstone.
    if (auto written = files::replace(fleet.paths.nodes, *text, files::mode_of(fleet.paths.nodes));
        !written)
        return written;
    if (auto written = write_lock(after); !written) return std::move(written).error();
    return {};
}

Result<void> enter_keys(const Paths& paths, const std::vector<LearnedKey>& keys, Date today) {
    const auto source = files::read(paths.nodes);
    if (!source) return source.error();
    const auto text = files::read(paths.lock);
    if (!text && text.error().code != Errc::not_found) return text.error();
    Fleet fleet = load_text(paths, std::string(source->begin(), source->end()),
                            text ? std::string(text->begin(), text->end()) : std::string(), today);
    const auto guard = guard_fleet(fleet);
    if (!guard) return guard.error();
    for (const auto& learned : keys) {
        auto* network = fleet.lock.find(learned.network);
        auto* node = network != nullptr ? network->find(learned.node) : nullptr;
        if (node == nullptr)
            return Error{
                Errc::not_found, fmt::format("{} has no node '{}'", paths.nodes, learned.node), {}};
        if (node->key == learned.key) continue;
        if (node->key) {
            const KeyStore store(paths.keys, learned.network, true);
            auto pairs = store.load_pairs();
            if (!pairs) return std::move(pairs).error();
            const auto before = pairs->size();
            pairs->erase_if([&](const std::string& a, const std::string& b) {
                return a == learned.node || b == learned.node;
            });
            if (pairs->size() != before)
                if (auto kept = store.replace_pairs(*pairs); !kept) return kept;
        }
        node->key = learned.key;
        node->keyed = today;
        ++node->generation;
    }
    if (auto written = write_lock(fleet); !written) return std::move(written).error();
    return {};
}

} // namespace wgkit::mesh
