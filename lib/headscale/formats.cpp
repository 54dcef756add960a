#include <fmt/format.h>

#include "monitor/exposition.hpp"
#include "monitor/plugin_text.hpp"
#include "monitor/table.hpp"
#include "wgkit/headscale.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::headscale {

namespace {

using monitor::printable;

std::string_view word(Level level) { return level == Level::critical ? "ALERT" : "WARNING"; }

std::string seen(const Node& node, Time now) {
    if (node.online) return "now";
    return node.last_seen ? monitor::span_text(now - *node.last_seen) : "never";
}

} // namespace

std::string trouble_text(const Told& told) {
    std::string text;
    for (const auto& finding : told.findings)
        if (finding.level != Level::ok)
            text += fmt::format("{}: {}: {}\n", word(finding.level), told.server, finding.text);
    for (std::size_t i = 0; i < told.state.nodes.size(); ++i) {
        const NodeState& state = told.state.nodes[i];
        const Node& node = told.snapshot.nodes[i];
        if (state.level == Level::ok) continue;
        text +=
            fmt::format("{}: node {} of {} is {}: {}\n", word(state.level), printable(node.name),
                        printable(node.user), to_string(state.verdict), state.reason);
    }
    return text;
}

std::string table_text(const Told& told, bool colour) {
    monitor::Table table{{"STATE", "NODE", "USER", "SEEN", "KEY EXPIRES", "SINCE", "WHY"}};
    const Time now = told.snapshot.now;
    for (std::size_t i = 0; i < told.state.nodes.size(); ++i) {
        const Node& node = told.snapshot.nodes[i];
        const NodeState& state = told.state.nodes[i];
        table.push_back({std::string(to_string(state.verdict)), printable(node.name),
                         printable(node.user), seen(node, now),
                         !node.expiry          ? "never"
                         : *node.expiry <= now ? "expired"
                                               : monitor::span_text(*node.expiry - now),
                         monitor::span_text(now - state.since), state.reason});
    }
    return monitor::aligned(table, [&](std::size_t line) -> std::string_view {
        const NodeState& node = told.state.nodes[line];
        return colour ? monitor::colour_of(node.level, node.verdict == Verdict::online) : "";
    });
}

std::string to_nagios(const Told& told) {
    std::size_t online = 0, bad = 0;
    const NodeState* worst = nullptr;
    std::string details;
    for (std::size_t i = 0; i < told.state.nodes.size(); ++i) {
        const NodeState& node = told.state.nodes[i];
        if (node.online) ++online;
        if (node.level == Level::ok) continue;
        if (worst == nullptr || monitor::worse(worst->level, node.level) != worst->level)
            worst = &node;
        if (++bad <= monitor::most_plugin_lines)
            details +=
                fmt::format("{}: {}: {}\n", monitor::plugin_safe(told.snapshot.nodes[i].name),
                            to_string(node.verdict), node.reason);
    }
    std::string text =
        fmt::format("HEADSCALE {}: {} of {} nodes online", monitor::plugin_word(told.level()),
                    online, told.state.nodes.size());
    for (const auto& finding : told.findings)
        if (finding.level != Level::ok) text += ", " + finding.text;
    if (worst != nullptr) {
        const auto at = static_cast<std::size_t>(worst - told.state.nodes.data());
        text += fmt::format(", {} in trouble: {} {}", bad,
                            monitor::plugin_safe(told.snapshot.nodes[at].name),
                            to_string(worst->verdict));
    }
    text += fmt::format(" | 'nodes'={0};;;0 'online'={1};;;0;{0} 'trouble'={2};;;0;{0}\n",
                        told.state.nodes.size(), online, bad);
    return text + details;
}

std::string to_prometheus(const Told& told) {
    std::string text;
    const files::Sink append = [&](std::string_view piece) { text += piece; };
    monitor::Exposition to(append, false);
    const auto& nodes = told.snapshot.nodes;
    std::vector<std::string> labels;
    for (const auto& node : nodes)
        labels.push_back(fmt::format("{{node=\"{}\",id=\"{}\",user=\"{}\"",
                                     monitor::escaped(node.name), monitor::escaped(node.id),
                                     monitor::escaped(node.user)));
    const auto each = [&](auto&& value) {
        for (std::size_t i = 0; i < nodes.size(); ++i)
            if (const std::optional<std::int64_t> number = value(i))
                to.sample(labels[i] + "}", *number);
    };
    const auto epoch = [](const std::optional<Time>& time) -> std::optional<std::int64_t> {
        if (!time) return std::nullopt;
        return time->time_since_epoch().count();
    };
    to.family("wgkit_headscale_node_online", "gauge", "1 if the node is connected.");
    each([&](std::size_t i) { return nodes[i].online ? 1 : 0; });
    to.family("wgkit_headscale_node_level", "gauge",
              "0 if all is well, 1 for a warning, 2 if critical.");
    each([&](std::size_t i) { return static_cast<int>(told.state.nodes[i].level); });
    to.family("wgkit_headscale_node_state", "gauge",
              "1 for the state that the node is in, see wgkit-monitor(1); others are absent.");
    for (std::size_t i = 0; i < nodes.size(); ++i)
        to.sample(
            fmt::format("{},state=\"{}\"}}", labels[i], to_string(told.state.nodes[i].verdict)), 1);
    to.family("wgkit_headscale_node_last_seen_timestamp_seconds", "gauge",
              "When the node was last connected; no value if it never was.");
    each([&](std::size_t i) { return epoch(nodes[i].last_seen); });
    to.family("wgkit_headscale_node_expiry_timestamp_seconds", "gauge",
              "When the node's key expires; no value if never.");
    each([&](std::size_t i) { return epoch(nodes[i].expiry); });
    if (told.snapshot.key_expiry) {
        to.family("wgkit_headscale_api_key_expiry_timestamp_seconds", "gauge",
                  "When the API key that asked expires.");
        to.sample("", *epoch(told.snapshot.key_expiry));
    }
    to.family("wgkit_headscale_last_look_timestamp_seconds", "gauge", "When it was last asked.");
    to.sample("", told.snapshot.now.time_since_epoch().count());
    to.family("wgkit_headscale_info", "info", "The control plane that was asked.");
    to.sample(fmt::format("{{server=\"{}\",version=\"{}\"}}", monitor::escaped(told.server),
                          monitor::escaped(told.snapshot.version)),
              1);
    to.end();
    return text;
}

} // namespace wgkit::headscale
