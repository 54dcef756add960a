
#include "util/json_text.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::monitor {

namespace {

using Json = nlohmann::ordered_json;

std::int64_t epoch(milliseconds time) { return std::chrono::duration_cast<seconds>(time).count(); }

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json to_json(const Row& row, const State& state) {
    const PeerState& peer = *row.peer;
    const auto age = row.age();
    Json json;
    json["interface"] = row.device->interface;
    json["netns"] = text_or_null(row.device->netns);
    json["publicKey"] = to_string(peer.key);
    json["name"] = text_or_null(peer.name);
    json["state"] = to_string(peer.verdict);
    json["level"] = to_string(peer.level);
    json["since"] = epoch(wall_of(state, peer.since));
    json["rule"] = to_string(peer.cause);
    json["reason"] = reason(peer, row.t, row.rule);
    json["expectedUp"] = is_expected_up(peer, row.rule);
    json["flapping"] = is_flapping(peer, row.t);
    json["latestHandshake"] = age ? Json(epoch(wall_of(state, peer.handshake_at))) : Json(nullptr);
    json["handshakeAge"] = age ? Json(age->count()) : Json(nullptr);
    json["staleLimit"] = stale_limit(row.rule, peer).count();
    json["transferRx"] = peer.looks.back().rx;
    json["transferTx"] = peer.looks.back().tx;
    json["persistentKeepalive"] = peer.keepalive;
    json["endpoint"] = text_or_null(peer.endpoint);
    json["allowedIps"] = text_or_null(peer.allowed_ips);
    json["pskFingerprint"] = text_or_null(peer.psk);
    json["probe"] = peer.probe == Probe::none ? Json(nullptr) : Json(to_string(peer.probe));
    json["samples"] = Json::array();
    for (const auto& look : peer.looks)
        json["samples"].push_back(
            {epoch(wall_of(state, look.t)), look.handshake, look.rx, look.tx});
    return json;
}

std::string dump(const Json& json, int indent) { return json_text::dump(json, indent) + "\n"; }

} // namespace

std::string to_json(const std::vector<Row>& rows, const State& state) {
    Json json;
    json["schema"] = 1;
    json["time"] = epoch(state.clock.wall);
    json["level"] = to_string(worst_of(rows));
    json["devices"] = Json::array();
    for (const auto& device : state.devices)
        json["devices"].push_back(
            {{"interface", device.interface},
             {"netns", text_or_null(device.netns)},
             {"publicKey", device.public_key ? Json(to_string(*device.public_key)) : nullptr}});
    json["peers"] = Json::array();
    for (const auto& row : rows) json["peers"].push_back(to_json(row, state));
    return dump(json, 2);
}

std::string to_jsonl(const std::vector<Row>& rows, const State& state) {
    std::string text;
    for (const auto& row : rows) {
        Json json{{"schema", 1}, {"time", epoch(state.clock.wall)}};
        json.update(to_json(row, state));
        text += dump(json, -1);
    }
    return text;
}

} // namespace wgkit::monitor
