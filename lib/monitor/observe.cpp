#include <algorithm>
#include <unordered_map>

#include "monitor/time_at.hpp"
#include "wgkit/monitor.hpp"

namespace wgkit::monitor {

namespace {

constexpr std::chrono::hours forget_vanished_after{24};
/// Clocks are read one after the other, and are disciplined.
constexpr seconds step_at_least{2};

/// Both since the same boot, so that clocks since then tell what passed.
bool is_same_boot(const Instant& last, const Instant& now) {
    return !now.boot_id.empty() && now.boot_id == last.boot_id && now.boot >= last.boot;
}

/// Moves the monitor's time on by what really passed.
Run advance(State& state, const Instant& now) {
    Run run;
    state.t = time_at(state, now);
    const Instant last = std::exchange(state.clock, now);
    if (!is_same_boot(last, now)) return run;
    const milliseconds passed = now.boot - last.boot;
    const milliseconds stepped = now.wall - last.wall - passed;
    if (std::chrono::abs(stepped) > step_at_least) run.stepped = stepped;
    run.resumed = passed - (now.awake - last.awake) > step_at_least;
    return run;
}

/// Finds what was kept of a peer: mostly it is where it was the last time.
class Kept {
  public:
    explicit Kept(std::vector<PeerState> peers) : peers_(std::move(peers)), used_(peers_.size()) {}

    PeerState take(const PublicKey& key, std::size_t likely) {
        if (likely < peers_.size() && !used_[likely] && peers_[likely].key == key)
            return take(likely);
        if (index_.empty())
            for (std::size_t i = 0; i < peers_.size(); ++i) index_.emplace(peers_[i].key, i);
        const auto found = index_.find(key);
        return found == index_.end() || used_[found->second] ? PeerState{} : take(found->second);
    }
    /// Those that were not taken and are not too old.
    void rest(std::vector<PeerState>& to, milliseconds t) {
        for (std::size_t i = 0; i < peers_.size(); ++i)
            if (!used_[i] && !peers_[i].looks.empty()
                && t - peers_[i].looks.back().t <= forget_vanished_after)
                to.push_back(std::move(peers_[i]));
    }

  private:
    PeerState take(std::size_t index) {
        used_[index] = true;
        return std::move(peers_[index]);
    }

    std::vector<PeerState> peers_;
    std::vector<bool> used_;
    std::unordered_map<PublicKey, std::size_t> index_;
};

/// Whether the same peers are there in the same order, as nearly always.
bool are_same(const std::vector<PeerState>& kept, const std::vector<PeerSample>& seen) {
    return std::equal(kept.begin(), kept.end(), seen.begin(), seen.end(),
                      [](const PeerState& a, const PeerSample& b) { return a.key == b.key; });
}

DeviceState& device_of(State& state, const DeviceSample& sample) {
    for (auto& device : state.devices)
        if (device.interface == sample.interface && device.netns == sample.netns) return device;
    return state.devices.emplace_back(DeviceState{sample.netns, sample.interface, {}, {}, {}});
}

} // namespace

milliseconds time_at(const State& state, const Instant& now) {
    if (state.t == milliseconds{}) return now.wall;
    if (is_same_boot(state.clock, now)) return state.t + (now.boot - state.clock.boot);
    return state.t + std::max(now.wall - state.clock.wall, milliseconds{});
}

Run observe(State& state, const std::vector<DeviceSample>& samples, const Instant& now,
            const Policy& policy) {
    const Run run = advance(state, now);
    for (const auto& sample : samples) {
        DeviceState& device = device_of(state, sample);
        device.public_key = sample.public_key;
        device.seen = state.t;
        const auto take = [&](PeerState& peer, const PeerSample& seen) {
            const auto entry = policy.entries.find(seen.key);
            const bool known = entry != policy.entries.end();
            peer = update(std::move(peer), seen, state.t, now.wall,
                          known ? entry->second.rule : policy.otherwise, run.resumed);
            peer.name = known ? entry->second.name : std::string();
            peer.seen = state.t;
        };
        if (are_same(device.peers, sample.peers)) {
            for (std::size_t i = 0; i < sample.peers.size(); ++i)
                take(device.peers[i], sample.peers[i]);
            continue;
        }
        Kept kept(std::exchange(device.peers, {}));
        device.peers.reserve(sample.peers.size());
        for (std::size_t i = 0; i < sample.peers.size(); ++i)
            take(device.peers.emplace_back(kept.take(sample.peers[i].key, i)), sample.peers[i]);
        kept.rest(device.peers, state.t);
    }
    std::erase_if(state.devices, [&](const DeviceState& device) {
        return state.t - device.seen > forget_vanished_after;
    });
    return run;
}

void note_problems(State& state, std::size_t count) {
    state.problems = static_cast<std::uint32_t>(count);
    if (count == 0) state.succeeded = state.t;
}

bool is_present(const State& state, const PeerState& peer) { return peer.seen == state.t; }

bool is_flapping(const PeerState& peer, milliseconds t) {
    constexpr std::size_t often = 6;
    constexpr std::chrono::minutes window{30};
    return std::count_if(peer.turns.begin(), peer.turns.end(),
                         [&](milliseconds turn) { return t - turn <= window; })
           >= static_cast<std::ptrdiff_t>(often);
}

milliseconds wall_of(const State& state, milliseconds t) {
    return state.clock.wall - (state.t - t);
}

} // namespace wgkit::monitor
