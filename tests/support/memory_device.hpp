#pragma once

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "device/message_backend.hpp"

namespace wgkit::test {

inline DevicePeer copy_of(const DevicePeer& peer) {
    DevicePeer copy;
    copy.public_key = peer.public_key;
    if (peer.preshared_key) copy.preshared_key = peer.preshared_key->clone();
    copy.endpoint = peer.endpoint;
    copy.persistent_keepalive = peer.persistent_keepalive;
    copy.last_handshake_seconds = peer.last_handshake_seconds;
    copy.rx_bytes = peer.rx_bytes;
    copy.allowed_ips = peer.allowed_ips;
    return copy;
}

inline Device copy_of(const Device& device) {
    Device copy;
    copy.name = device.name;
    if (device.private_key) copy.private_key = device.private_key->clone();
    copy.public_key = device.public_key;
    copy.listen_port = device.listen_port;
    copy.fwmark = device.fwmark;
    for (const auto& peer : device.peers) copy.peers.push_back(copy_of(peer));
    return copy;
}

/// A device in memory, which takes steps as the kernel does (drivers/net/wireguard/netlink.c): one
/// after the other, up to the first that it refuses.
class MemoryDevice : public MessageBackend {
  public:
    explicit MemoryDevice(Device state) : MessageBackend(state.name), device(std::move(state)) {}

    Result<Device> get() override { return copy_of(device); }

    Device device;
    bool knows_removal = true;   ///< of single allowed IPs; Linux before 6.16 does not
    std::size_t per_message = 3; ///< steps in a message
    std::set<PublicKey> refused; ///< peers that it takes no step for
    std::size_t messages = 0;
    std::size_t messages_before_death = SIZE_MAX; ///< then nothing happens any more
    /// Called after every step.
    std::function<void(const Device&)> watch = [](const Device&) {};

  private:
    std::size_t fits(std::span<const PeerStep> steps) const override {
        return std::min(per_message, steps.size());
    }

    Result<int> send(const DeviceChange* fields, std::span<const PeerStep> steps) override {
        if (messages == messages_before_death) return Error{Errc::system, "killed", {}};
        ++messages;
        if (fields != nullptr) set_fields(*fields);
        for (const auto& step : steps) {
            if (step.by_dummy) {
                for (const auto& one : by_dummy_peer(step)) take(one);
                continue;
            }
            if (const int code = take(step); code != 0) return code;
        }
        return 0;
    }

    void set_fields(const DeviceChange& change) {
        if (change.listen_port) device.listen_port = *change.listen_port;
        if (change.fwmark) device.fwmark = *change.fwmark;
        if (!change.private_key) return;
        if (is_zero(*change.private_key)) {
            device.private_key.reset();
            device.public_key.reset();
            return;
        }
        device.private_key = change.private_key->clone();
        device.public_key = public_key(*change.private_key);
        std::erase_if(device.peers,
                      [this](const DevicePeer& p) { return p.public_key == device.public_key; });
    }

    int take(const PeerStep& step) {
        if (refused.contains(step.public_key)) return EKEYREJECTED;
        auto at =
            std::find_if(device.peers.begin(), device.peers.end(), [&step](const DevicePeer& peer) {
                return peer.public_key == step.public_key;
            });
        if (step.remove) {
            if (at != device.peers.end()) device.peers.erase(at);
            watch(device);
            return 0;
        }
        if (at == device.peers.end()) {
            if (!step.is_new || step.public_key == device.public_key) return 0;
            device.peers.emplace_back().public_key = step.public_key;
            at = device.peers.end() - 1;
        }
        if (step.preshared_key != nullptr) {
            at->preshared_key.reset();
            if (!is_zero(*step.preshared_key)) at->preshared_key = step.preshared_key->clone();
        }
        if (step.endpoint) at->endpoint = step.endpoint;
        if (step.persistent_keepalive) at->persistent_keepalive = *step.persistent_keepalive;
        for (const auto& prefix : step.allowed_ips) {
            for (auto& other : device.peers) std::erase(other.allowed_ips, prefix);
            at->allowed_ips.push_back(prefix);
        }
        if (!step.removed_ips.empty() && !knows_removal) return EINVAL;
        for (const auto& prefix : step.removed_ips) std::erase(at->allowed_ips, prefix);
        watch(device);
        return 0;
    }
};

} // namespace wgkit::test
