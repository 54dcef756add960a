#include <fmt/format.h>

#include <algorithm>

#include "monitor/plugin_text.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::monitor {

namespace {

/// A label of performance data: quoted, without what ends it.
std::string label(const Row& row) {
    std::string text = row.peer->name;
    if (text.empty()) { // base64 ends in '=', which a label must not hold
        text = to_string(row.peer->key);
        text.resize(16);
    }
    std::string safe;
    for (const char c : plugin_safe(text))
        safe += c == '\'' ? "''" : c == '=' ? "-" : std::string(1, c);
    return safe;
}

} // namespace

std::string to_nagios(const std::vector<Row>& rows, const std::vector<std::string>& problems) {
    std::vector<const Row*> bad;
    std::size_t up = 0;
    for (const auto& row : rows) {
        if (row.peer->level != Level::ok) bad.push_back(&row);
        if (row.peer->verdict == Verdict::up) ++up;
    }
    std::stable_sort(bad.begin(), bad.end(),
                     [](const Row* a, const Row* b) { return a->peer->level > b->peer->level; });
    const Level level = worse(worst_of(rows), problems.empty() ? Level::ok : Level::unknown);
    std::string text =
        fmt::format("WIREGUARD {}: {} of {} peers up", plugin_word(level), up, rows.size());
    if (!bad.empty())
        text += fmt::format(", {} in trouble: {} {}", bad.size(), plugin_safe(bad.front()->name()),
                            to_string(bad.front()->peer->verdict));
    if (!problems.empty()) text += ", " + plugin_safe(problems.front());
    text += fmt::format(" | 'peers'={};;;0 'up'={};;;0;{} 'trouble'={};;;0;{}", rows.size(), up,
                        rows.size(), bad.size(), rows.size());
    if (rows.size() <= most_plugin_lines)
        for (const auto& row : rows) {
            const auto age = row.age();
            const auto limit = stale_limit(row.rule, *row.peer).count();
            const std::string name = label(row);
            text += age ? fmt::format(" '{} age'={}s;{};;0", name, age->count(), limit)
                        : fmt::format(" '{} age'=U", name);
            text += fmt::format(" '{} rx'={}c '{} tx'={}c", name, row.peer->looks.back().rx, name,
                                row.peer->looks.back().tx);
        }
    text += '\n';
    for (std::size_t i = 0; i < std::min(bad.size(), most_plugin_lines); ++i)
        text +=
            fmt::format("{}: {} on {}: {}\n", plugin_safe(bad[i]->name()),
                        to_string(bad[i]->peer->verdict), plugin_safe(bad[i]->device->interface),
                        plugin_safe(reason(*bad[i]->peer, bad[i]->t, bad[i]->rule)));
    if (bad.size() > most_plugin_lines)
        text += fmt::format("and {} more\n", bad.size() - most_plugin_lines);
    for (const auto& problem : problems) text += plugin_safe(problem) + "\n";
    return text;
}

} // namespace wgkit::monitor
