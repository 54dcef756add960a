#include "wgkit/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

namespace wgkit {

namespace {

const DevicePeer* find_peer(const Device& device, const PublicKey& key) {
    const auto at = std::find_if(device.peers.begin(), device.peers.end(),
                                 [&key](const DevicePeer& peer) { return peer.public_key == key; });
    return at == device.peers.end() ? nullptr : &*at;
}

bool is_name(const Endpoint& endpoint) {
    const std::string_view host = endpoint.host;
    return !IpAddress::parse(host.substr(0, host.find('%')));
}

} // namespace

Result<Resolved> resolve_endpoints(const std::string& interface, const config::Config& config,
                                   std::int64_t now) {
    auto backend = open_device(interface);
    if (!backend) return backend.error();
    const auto device = (*backend)->get();
    if (!device) return device.error();
    Resolved out;
    std::map<Endpoint, Result<DeviceEndpoint>> known;
    DeviceChange change;
    for (const auto& wanted : config.peers) {
        if (!wanted.endpoint || !is_name(*wanted.endpoint)) continue;
        const DevicePeer* peer = find_peer(*device, wanted.public_key);
        if (peer == nullptr || !is_stale(*peer, now)) continue;
        auto at = known.find(*wanted.endpoint);
        if (at == known.end()) {
            at = known.emplace(*wanted.endpoint, look_up(*wanted.endpoint)).first;
            if (!at->second) out.failures.push_back(at->second.error());
        }
        if (!at->second || peer->endpoint == *at->second) continue;
        out.moved.push_back(
            {wanted.public_key, wanted.endpoint->host, peer->endpoint, *at->second});
        PeerChange one;
        one.public_key = wanted.public_key;
        one.endpoint = *at->second;
        change.peers.push_back(std::move(one));
    }
    if (change.empty()) return out;
    const auto refused = (*backend)->set(change);
    if (!refused) return refused.error();
    for (const auto& refusal : *refused) {
        const auto& key = refusal.public_key;
        const Error& error = refusal.error;
        std::erase_if(out.moved,
                      [&key](const MovedEndpoint& one) { return one.public_key == key; });
        out.failures.push_back(
            {error.code, fmt::format("peer {}: {}", to_string(key), error.message), error.hint});
    }
    return out;
}

} // namespace wgkit
