#include "net/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/json.hpp"
#include "util/json_text.hpp"
#include "util/link_local.hpp"

namespace wgkit::tool::net {

namespace {

constexpr std::uint8_t made_by_kernel = 2; ///< RTPROT_KERNEL

config::Config config_of(const Device& device) {
    config::Config config;
    if (device.private_key) config.interface.private_key = device.private_key->clone();
    config.interface.listen_port = device.listen_port;
    config.interface.fw_mark = device.fwmark;
    for (const auto& peer : device.peers) {
        auto& to = config.peers.emplace_back();
        to.public_key = peer.public_key;
        if (peer.preshared_key) to.preshared_key = peer.preshared_key->clone();
        if (peer.endpoint)
            if (auto endpoint = Endpoint::parse(to_string(*peer.endpoint)))
                to.endpoint = *std::move(endpoint);
        to.persistent_keepalive = std::chrono::seconds(peer.persistent_keepalive);
        for (const auto& prefix : peer.allowed_ips) to.allowed_ips.push_back({prefix});
    }
    return config;
}

Json host_json(const HostState& host) {
    Json addresses = Json::array();
    for (const auto& address : host.addresses)
        if (!is_link_local(address.address)) addresses.push_back(to_string(address));
    Json routes = Json::array();
    for (const auto& route : host.routes)
        if (route.protocol != made_by_kernel) // they come and go with addresses
            routes.push_back({{"destination", to_string(route.destination)},
                              {"table", route.table},
                              {"protocol", route.protocol},
                              {"metric", route.metric}});
    Json rules = Json::array();
    for (const auto& rule : host.rules)
        rules.push_back({{"ipv6", rule.family == Family::ipv6},
                         {"unlessMark", rule.unless_mark ? Json(*rule.unless_mark) : Json()},
                         {"table", rule.table},
                         {"noDefaultRoutes", rule.no_default_routes},
                         {"priority", rule.priority},
                         {"protocol", rule.protocol}});
    Json filters = Json::array();
    for (const auto& filter : host.filters)
        filters.push_back({{"ipv6", filter.family == Family::ipv6}, {"mark", filter.mark}});
    return {{"up", host.is_up},
            {"mtu", host.mtu},
            {"addresses", std::move(addresses)},
            {"routes", std::move(routes)},
            {"rules", std::move(rules)},
            {"filters", std::move(filters)}};
}

Family family_of(const Json& json) {
    return json.at("ipv6").get<bool>() ? Family::ipv6 : Family::ipv4;
}

std::optional<Prefix> prefix_of(const Json& json) {
    const auto prefix = Prefix::parse(json.get<std::string>());
    return prefix ? std::optional(*prefix) : std::nullopt;
}

std::optional<HostState> host_of(const Json& json) {
    HostState host;
    host.is_up = json.at("up");
    host.mtu = json.at("mtu");
    for (const auto& one : json.at("addresses")) {
        const auto address = prefix_of(one);
        if (!address) return std::nullopt;
        host.addresses.push_back(*address);
    }
    for (const auto& route : json.at("routes")) {
        const auto destination = prefix_of(route.at("destination"));
        if (!destination) return std::nullopt;
        host.routes.push_back(
            {*destination, route.at("table"), route.at("protocol"), route.at("metric")});
    }
    for (const auto& rule : json.at("rules")) {
        auto& to = host.rules.emplace_back();
        to.family = family_of(rule);
        if (!rule.at("unlessMark").is_null()) to.unless_mark = rule.at("unlessMark");
        to.table = rule.at("table");
        to.no_default_routes = rule.at("noDefaultRoutes");
        to.protocol = rule.at("protocol");
        // The place is chosen anew: others may have come meanwhile.
    }
    for (const auto& filter : json.at("filters")) {
        const Family family = family_of(filter);
        auto& to = host.filters.emplace_back(HostFilter{family, filter.at("mark"), {}});
        for (const auto& own : host.addresses)
            if (own.address.family() == family) to.addresses.push_back(own.address);
    }
    return host;
}

/// What was not there must go, and what was off must be off.
WantedDevice exactly(const config::Config& config) {
    constexpr std::array<std::uint8_t, key_bytes> zeros{};
    WantedDevice wanted = wanted_device(config);
    if (!wanted.private_key) wanted.private_key = PrivateKey(zeros);
    for (auto& peer : wanted.peers) {
        if (!peer.preshared_key) peer.preshared_key = PresharedKey(zeros);
        if (peer.endpoint)
            if (auto address = look_up(*peer.endpoint)) peer.address = *address;
    }
    return wanted;
}

} // namespace

Snapshot take_snapshot(const Convergence& it) {
    Json handshakes = Json::object();
    for (const auto& peer : it.present.peers)
        handshakes[to_string(peer.public_key)] = peer.last_handshake_seconds;
    Json state{{"schema", 1},
               {"mark", it.present.fwmark},
               {"markAfter", it.change.fwmark.value_or(it.present.fwmark)},
               {"handshakes", std::move(handshakes)},
               {"host", it.host.goal ? host_json(it.host.present) : Json()}};
    return {config::write(config_of(it.present)), json_text::dump(state)};
}

Result<Before> read_snapshot(const Snapshot& snapshot) {
    const Error wrong{Errc::invalid, "not a state that apply --confirm has saved", {}};
    const auto parsed = config::parse(snapshot.device, "state");
    if (parsed.diagnostics.errors() != 0) return wrong;
    Before before;
    before.device = exactly(parsed.config);
    try {
        const Json state = json_text::parse_ordered(snapshot.state);
        if (state.at("schema") != 1) return wrong;
        before.mark = state.at("mark");
        before.mark_after = state.at("markAfter");
        for (const auto& [key, seconds] : state.at("handshakes").items()) {
            const auto parsed_key = PublicKey::parse(key);
            if (!parsed_key) return wrong;
            before.handshakes.emplace(*parsed_key, seconds.get<std::int64_t>());
        }
        if (!state.at("host").is_null()) {
            before.host = host_of(state.at("host"));
            if (!before.host) return wrong;
        }
    } catch (const Json::exception&) {
        return wrong;
    }
    return before;
}

void adjust(Before& before, const Device& present, std::span<const PublicKey> revoked) {
    const auto is_revoked = [revoked](const PublicKey& key) {
        return std::binary_search(revoked.begin(), revoked.end(), key);
    };
    auto& device = before.device;
    if (!is_zero(*device.private_key) && is_revoked(public_key(*device.private_key)))
        device.private_key.reset();
    std::erase_if(device.peers,
                  [&](const WantedPeer& peer) { return is_revoked(peer.public_key); });
    std::map<PublicKey, std::int64_t> now;
    for (const auto& peer : present.peers)
        now.emplace(peer.public_key, peer.last_handshake_seconds);
    for (auto& peer : device.peers) {
        const auto then = before.handshakes.find(peer.public_key);
        const auto heard = now.find(peer.public_key);
        if (then != before.handshakes.end() && heard != now.end() && heard->second > then->second)
            peer.address.reset();
    }
}

} // namespace wgkit::tool::net
