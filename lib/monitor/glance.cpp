#include <algorithm>

#include "monitor/silence.hpp"
#include "monitor/time_at.hpp"

namespace wgkit::monitor {

namespace {

/// Calls `on(peer, sample)` for the peers that the last look and these samples have at the same
/// place, which are all unless somebody changed the device meanwhile.
template <typename States, typename On>
void for_each_known(States& state, const std::vector<DeviceSample>& samples, const On& on) {
    for (const auto& sample : samples) {
        const auto device =
            std::find_if(state.devices.begin(), state.devices.end(), [&](const DeviceState& one) {
                return one.interface == sample.interface && one.netns == sample.netns;
            });
        if (device == state.devices.end()) continue;
        const std::size_t count = std::min(device->peers.size(), sample.peers.size());
        for (std::size_t i = 0; i < count; ++i)
            if (auto& peer = device->peers[i];
                peer.key == sample.peers[i].key && !peer.looks.empty())
                on(peer, sample.peers[i]);
    }
}

bool is_silent(const PeerState& peer, const PeerSample& sample) {
    return sample.rx == peer.looks.back().rx;
}

} // namespace

void note_asked(PeerState& state, const PeerSample& sample, milliseconds t) {
    const Look& last = state.looks.back();
    if (state.silence.asked != milliseconds{} || !is_silent(state, sample) || sample.tx < last.tx
        || had_no_session(state, last.t))
        return;
    if (sample.tx - last.tx > nothing_asked(state, t - last.t)) state.silence.asked = t;
}

void glance(State& state, const std::vector<DeviceSample>& samples, const Instant& now) {
    const milliseconds t = time_at(state, now);
    for_each_known(state, samples,
                   [&](PeerState& peer, const PeerSample& sample) { note_asked(peer, sample, t); });
}

milliseconds until_due(const State& state, const std::vector<DeviceSample>& samples,
                       const Instant& now, milliseconds patience) {
    const milliseconds t = time_at(state, now);
    milliseconds wait{};
    for_each_known(state, samples, [&](const PeerState& peer, const PeerSample& sample) {
        if (peer.silence.asked == milliseconds{} || !is_silent(peer, sample)) return;
        const milliseconds left = peer.silence.asked + answer_due - t;
        if (left <= patience) wait = std::max(wait, left);
    });
    return wait;
}

} // namespace wgkit::monitor
