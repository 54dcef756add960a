#include <nlohmann/json.hpp>

#include "wgkit/monitor_fleet.hpp"

namespace wgkit::monitor {

namespace {

using Input = nlohmann::json;

std::string text_in(const Input& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint64_t number_in(const Input& value) {
    return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

template <class E>
E choice_in(const Input& object, const char* key, std::size_t count) {
    const std::string word = text_in(object, key);
    for (std::size_t i = 0; i < count; ++i)
        if (to_string(static_cast<E>(i)) == word) return static_cast<E>(i);
    return E{};
}

std::optional<PeerState> peer_in(const Input& from, milliseconds now) {
    PeerState peer;
    const auto key = PublicKey::parse(text_in(from, "publicKey"));
    const auto samples = from.find("samples");
    if (!key || samples == from.end() || !samples->is_array() || samples->empty()
        || samples->size() > max_looks)
        return std::nullopt;
    peer.key = *key;
    peer.name = text_in(from, "name");
    peer.endpoint = text_in(from, "endpoint");
    peer.allowed_ips = text_in(from, "allowedIps");
    peer.psk = text_in(from, "pskFingerprint");
    peer.verdict = choice_in<Verdict>(from, "state", verdict_count);
    peer.cause = choice_in<Cause>(from, "rule", cause_count);
    peer.level = choice_in<Level>(from, "level", 4);
    peer.probe = choice_in<Probe>(from, "probe", probe_count);
    peer.seen = now;
    for (const auto& sample : *samples) {
        if (!sample.is_array() || sample.size() != 4) return std::nullopt;
        Look look;
        look.t = seconds(static_cast<std::int64_t>(number_in(sample[0])));
        look.handshake = static_cast<std::int64_t>(number_in(sample[1]));
        look.rx = number_in(sample[2]);
        look.tx = number_in(sample[3]);
        peer.looks.push_back(look);
    }
    return peer;
}

} // namespace

Result<State> state_from_json(std::string_view text) {
    const Error broken{Errc::invalid, "not what wgkit monitor --format json prints", {}};
    const Input root = Input::parse(text, nullptr, false);
    if (root.is_discarded() || !root.is_object()) return broken;
    const auto devices = root.find("devices"), peers = root.find("peers"), time = root.find("time");
    if (devices == root.end() || !devices->is_array() || peers == root.end() || !peers->is_array()
        || time == root.end() || !time->is_number_unsigned())
        return broken;
    State state;
    state.t = state.clock.wall = seconds(time->get<std::int64_t>());
    for (const auto& from : *devices) {
        if (!from.is_object()) return broken;
        DeviceState& device = state.devices.emplace_back();
        device.interface = text_in(from, "interface");
        device.netns = text_in(from, "netns");
        device.seen = state.t;
        if (const auto key = PublicKey::parse(text_in(from, "publicKey"))) device.public_key = *key;
    }
    for (const auto& from : *peers) {
        if (!from.is_object()) return broken;
        auto peer = peer_in(from, state.t);
        if (!peer) return broken;
        for (auto& device : state.devices)
            if (device.interface == text_in(from, "interface")
                && device.netns == text_in(from, "netns"))
                device.peers.push_back(*peer);
    }
    return state;
}

} // namespace wgkit::monitor
