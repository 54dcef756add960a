#include <algorithm>

#include "util/ascii.hpp"
#include "wgkit/monitor.hpp"

namespace wgkit::monitor {

namespace {

bool wants_probe(const Policy& policy) {
    return policy.otherwise.probe
           || std::any_of(policy.entries.begin(), policy.entries.end(),
                          [](const auto& entry) { return entry.second.rule.probe; });
}

std::optional<IpAddress> address_of(const PeerState& peer, const Policy& policy) {
    std::vector<Prefix> routed;
    for (const auto text : ascii::split(peer.allowed_ips, ','))
        if (const auto prefix = Prefix::parse(text)) routed.push_back(*prefix);
    if (const auto entry = policy.entries.find(peer.key); entry != policy.entries.end())
        for (const auto& address : entry->second.addresses)
            if (std::any_of(routed.begin(), routed.end(),
                            [&](const Prefix& prefix) { return prefix.contains(address); }))
                return address;
    for (const auto& prefix : routed)
        if (prefix.length == prefix.address.bits()) return prefix.address;
    return std::nullopt;
}

} // namespace

std::vector<ProbeTarget> to_probe(const State& state, const std::vector<DeviceSample>& samples,
                                  const Instant& now, const Policy& policy) {
    std::vector<ProbeTarget> targets;
    if (!wants_probe(policy)) return targets;
    State trial = state;
    observe(trial, samples, now, policy);
    for (std::size_t d = 0; d < samples.size(); ++d) {
        const auto device =
            std::find_if(trial.devices.begin(), trial.devices.end(), [&](const DeviceState& one) {
                return one.interface == samples[d].interface && one.netns == samples[d].netns;
            });
        // Peers are in the order of the samples.
        for (std::size_t i = 0; device != trial.devices.end() && i < samples[d].peers.size(); ++i) {
            const PeerState& peer = device->peers[i];
            if (!peer.rule.probe || peer.verdict != Verdict::up || !is_expected_up(peer, peer.rule))
                continue;
            if (const auto address = address_of(peer, policy)) targets.push_back({d, i, *address});
        }
    }
    return targets;
}

} // namespace wgkit::monitor
