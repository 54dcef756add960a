#include "net/plan_json.hpp"

#include <unordered_map>

#include "net/host_words.hpp"

namespace wgkit::tool::net {

namespace {

template <class Values>
Json texts(const Values& values) {
    Json list = Json::array();
    for (const auto& value : values) list.push_back(to_string(value));
    return list;
}

template <class Value>
Json step(const char* what, const Value& from, const Value& to) {
    return {{"change", what}, {"from", from}, {"to", to}};
}

Json endpoint(const std::optional<DeviceEndpoint>& value) {
    return value ? Json(to_string(*value)) : Json();
}

Json peer_json(const PeerChange& peer, const DevicePeer& before, const std::string& name) {
    Json json{{"change", peer.is_new ? "add-peer" : "change-peer"},
              {"publicKey", to_string(peer.public_key)},
              {"name", name}};
    if (peer.preshared_key) json["presharedKey"] = is_zero(*peer.preshared_key) ? "cleared" : "set";
    if (peer.endpoint)
        json["endpoint"] = {{"from", endpoint(before.endpoint)}, {"to", endpoint(peer.endpoint)}};
    if (peer.persistent_keepalive)
        json["persistentKeepalive"] = {{"from", before.persistent_keepalive},
                                       {"to", *peer.persistent_keepalive}};
    Json moved = Json::array();
    for (const auto& one : peer.moved)
        moved.push_back({{"prefix", to_string(one.prefix)}, {"from", to_string(one.from)}});
    json["allowedIps"] = {
        {"added", texts(peer.added)}, {"moved", moved}, {"removed", texts(peer.removed)}};
    return json;
}

} // namespace

Json to_json(const Convergence& it) {
    std::unordered_map<PublicKey, std::string> names;
    for (const auto& peer : it.wanted.peers) names.emplace(peer.public_key, peer.name);
    std::unordered_map<PublicKey, const DevicePeer*> present;
    for (const auto& peer : it.present.peers) present.emplace(peer.public_key, &peer);

    const auto& change = it.change;
    Json changes = Json::array();
    if (change.private_key) {
        const auto& before = it.present.public_key;
        const bool none = is_zero(*change.private_key);
        changes.push_back(step("private-key", before ? Json(to_string(*before)) : Json(),
                               none ? Json() : Json(to_string(public_key(*change.private_key)))));
    }
    if (change.listen_port)
        changes.push_back(step("listen-port", it.present.listen_port, *change.listen_port));
    if (change.fwmark) changes.push_back(step("fwmark", it.present.fwmark, *change.fwmark));
    const DevicePeer nobody;
    for (const auto& peer : change.peers) {
        const auto found = present.find(peer.public_key);
        const DevicePeer& before = found == present.end() ? nobody : *found->second;
        changes.push_back(peer_json(peer, before, names[peer.public_key]));
    }
    for (const auto& key : change.removed_peers)
        changes.push_back({{"change", "remove-peer"}, {"publicKey", to_string(key)}});
    for (const auto& step : it.host.steps) changes.push_back(to_json(step));
    return {{"schema", 1},
            {"interface", it.interface()},
            {"file", it.target.file.path},
            {"stateHash", state_hash(it.present)},
            {"changes", changes}};
}

} // namespace wgkit::tool::net
