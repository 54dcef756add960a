#include "device/steps.hpp"

#include <algorithm>
#include <span>

namespace wgkit {

namespace {

/// Adds `step`, and as many more as its prefixes take. `list`: which of its lists they are for.
void add(std::vector<PeerStep>& steps, PeerStep step, std::vector<Prefix> PeerStep::*list,
         std::span<const Prefix> prefixes) {
    do {
        const auto part = prefixes.first(std::min(prefixes.size(), most_allowed_ips));
        prefixes = prefixes.subspan(part.size());
        (step.*list).assign(part.begin(), part.end());
        const PublicKey key = step.public_key;
        steps.push_back(std::move(step));
        step = {};
        step.public_key = key;
    } while (!prefixes.empty());
}

bool has_new(const PeerChange& peer) {
    return peer.is_new || peer.preshared_key || peer.endpoint || peer.persistent_keepalive
           || !peer.added.empty();
}

} // namespace

std::vector<PeerStep> steps_of(const DeviceChange& change) {
    std::vector<PeerStep> steps;
    steps.reserve(change.peers.size() + change.removed_peers.size());
    PeerStep step;
    for (const auto& peer : change.peers) {
        if (!has_new(peer)) continue;
        step = {};
        step.public_key = peer.public_key;
        step.is_new = peer.is_new;
        step.preshared_key = peer.preshared_key ? &*peer.preshared_key : nullptr;
        step.endpoint = peer.endpoint;
        step.persistent_keepalive = peer.persistent_keepalive;
        add(steps, std::move(step), &PeerStep::allowed_ips, peer.added);
    }
    std::vector<Prefix> moved;
    for (const auto& peer : change.peers) {
        if (peer.moved.empty()) continue;
        moved.clear();
        for (const auto& one : peer.moved) moved.push_back(one.prefix);
        step = {};
        step.public_key = peer.public_key;
        add(steps, std::move(step), &PeerStep::allowed_ips, moved);
    }
    for (const auto& peer : change.peers) {
        if (peer.removed.empty()) continue;
        step = {};
        step.public_key = peer.public_key;
        add(steps, std::move(step), &PeerStep::removed_ips, peer.removed);
    }
    for (const auto& key : change.removed_peers) {
        step = {};
        step.public_key = key;
        step.remove = true;
        steps.push_back(std::move(step));
    }
    return steps;
}

std::array<PeerStep, 2> by_dummy_peer(const PeerStep& removal) {
    PeerStep come;
    come.public_key = public_key(generate_private_key()); // whose private key is gone at once
    come.is_new = true;
    come.allowed_ips = removal.removed_ips;
    PeerStep go;
    go.public_key = come.public_key;
    go.remove = true;
    return {std::move(come), std::move(go)};
}

} // namespace wgkit
