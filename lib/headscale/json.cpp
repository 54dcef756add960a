#include <fmt/format.h>

#include <algorithm>

#include "util/json_text.hpp"
#include "util/rfc3339.hpp"
#include "wgkit/headscale.hpp"

namespace wgkit::headscale {

namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json, int indent) { return json_text::dump(json, indent) + "\n"; }

Json epoch(const std::optional<Time>& time) {
    return time ? Json(time->time_since_epoch().count()) : Json(nullptr);
}

Json to_json(const Node& node, const NodeState& state) {
    Json json;
    json["id"] = node.id;
    json["name"] = node.name;
    json["user"] = node.user;
    json["publicKey"] = node.key ? Json(to_string(*node.key)) : Json(nullptr);
    json["addresses"] = node.addresses;
    json["tags"] = node.tags;
    json["state"] = to_string(state.verdict);
    json["level"] = monitor::to_string(state.level);
    json["since"] = epoch(state.since);
    json["reason"] = state.reason;
    json["online"] = node.online;
    json["lastSeen"] = epoch(node.last_seen);
    json["expiry"] = epoch(node.expiry);
    json["routes"] = Json::array();
    for (const auto& route : node.routes)
        json["routes"].push_back(
            {{"prefix", route.prefix}, {"advertised", route.advertised}, {"served", route.served}});
    return json;
}

std::string event(const std::string& key, const std::string& type, Level level,
                  const std::string& summary, const std::string& details, Json labels, Time since) {
    Json json{{"key", key},
              {"type", type},
              {"severity", level == Level::critical ? "critical" : "warning"},
              {"summary", summary},
              {"details", details},
              {"labels", std::move(labels)},
              {"started_at", rfc3339(since)}};
    if (level == Level::ok) json["resolved_at"] = rfc3339(since);
    return dump(json, -1);
}

std::string self_event(const std::string& server, const std::string& type, Level level,
                       const std::string& text, Time since) {
    return event(fmt::format("headscale:{}:{}", server, type), "headscale." + type, level, text,
                 fmt::format("control plane {}", server), {{"server", server}, {"state", type}},
                 since);
}

} // namespace

std::string to_json(const Told& told, bool lines) {
    Json head{{"schema", 1}, {"time", told.snapshot.now.time_since_epoch().count()}};
    head["server"] = told.server;
    std::string text;
    Json nodes = Json::array();
    for (std::size_t i = 0; i < told.state.nodes.size(); ++i) {
        Json node = to_json(told.snapshot.nodes[i], told.state.nodes[i]);
        if (lines) {
            Json line = head;
            line.update(node);
            text += dump(line, -1);
        } else {
            nodes.push_back(std::move(node));
        }
    }
    if (lines) return text;
    head["version"] = told.snapshot.version.empty() ? Json(nullptr) : Json(told.snapshot.version);
    head["level"] = monitor::to_string(told.level());
    head["restarted"] = told.state.restart ? epoch(told.state.restart->noticed) : Json(nullptr);
    head["apiKeyExpiry"] = epoch(told.snapshot.key_expiry);
    head["nodes"] = std::move(nodes);
    return dump(head, 2);
}

std::string to_alert_events(const Told& told) {
    std::string text;
    for (std::size_t i = 0; i < told.state.nodes.size(); ++i) {
        const Node& node = told.snapshot.nodes[i];
        const NodeState& state = told.state.nodes[i];
        text +=
            event(fmt::format("headscale:{}:node:{}", told.server, node.id),
                  fmt::format("node.{}", to_string(state.verdict)), state.level,
                  fmt::format("node {} is {}", node.name, to_string(state.verdict)), state.reason,
                  {{"node", node.name},
                   {"user", node.user},
                   {"server", told.server},
                   {"state", to_string(state.verdict)}},
                  state.since);
    }
    for (const auto& finding : told.findings)
        text += self_event(told.server, finding.type,
                           finding.lasts ? std::max(finding.level, Level::warning) : Level::ok,
                           finding.text, told.state.now);
    return text + self_event(told.server, "unseen", Level::ok, "it answers", told.state.now);
}

std::string to_alert_event(const std::string& server, const Error& error, Time now) {
    return self_event(server, "unseen", Level::critical, error.message, now);
}

} // namespace wgkit::headscale
