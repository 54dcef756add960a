#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "wgkit/device.hpp"

namespace wgkit {

namespace {

constexpr std::int64_t stale_seconds = 135;

/// What one peer should be, once all that is said of it is taken together.
struct Goal {
    const PublicKey* key = nullptr;
    const DevicePeer* present = nullptr;
    const PresharedKey* preshared_key = nullptr;
    const DeviceEndpoint* address = nullptr;
    std::optional<std::uint16_t> persistent_keepalive;
    std::vector<Prefix> claimed; ///< allowed IPs that were its own at some point
    bool is_listed = false;      ///< among the wanted peers
};

/// Who owns which allowed IP; the number is a place among the goals.
using Owners = std::map<Prefix, std::size_t>;

/// The key that the device will have; nothing: none.
std::optional<PublicKey> own_key(const WantedDevice& wanted, const Device& present) {
    if (!wanted.private_key) return present.public_key;
    if (is_zero(*wanted.private_key)) return std::nullopt;
    return public_key(*wanted.private_key);
}

void change_device(const WantedDevice& wanted, const Device& present, DeviceChange& change) {
    // By public keys: the kernel clamps private ones.
    if (wanted.private_key && own_key(wanted, present) != present.public_key)
        change.private_key = wanted.private_key->clone();
    // Port 0 lets the kernel choose, and it has.
    if (wanted.listen_port.value_or(0) != 0 && *wanted.listen_port != present.listen_port)
        change.listen_port = wanted.listen_port;
    if (wanted.fwmark && *wanted.fwmark != present.fwmark) change.fwmark = wanted.fwmark;
}

bool may_set_endpoint(const DevicePeer* present, const DiffOptions& options) {
    return present == nullptr || !present->endpoint || options.set_all_endpoints
           || is_stale(*present, options.now);
}

class PeerDiff {
  public:
    PeerDiff(const WantedDevice& wanted, const Device& present, const DiffOptions& options)
        : options_(options), own_(own_key(wanted, present)) {
        goals_.reserve(wanted.peers.size() + present.peers.size());
        for (const auto& peer : present.peers) add_present(peer);
        owners_ = present_owners_;
        for (const auto& peer : wanted.peers)
            if (peer.public_key != own_) want(peer);
    }

    void write(DeviceChange& change) {
        std::vector<PeerChange> changes(goals_.size());
        write_allowed_ips(changes);
        for (const auto index : order_) {
            PeerChange& peer = changes.at(index);
            write_fields(goals_.at(index), peer);
            if (peer.is_new || peer.preshared_key || peer.endpoint || peer.persistent_keepalive
                || !peer.added.empty() || !peer.moved.empty() || !peer.removed.empty())
                change.peers.push_back(std::move(peer));
        }
        for (const auto& goal : goals_)
            if (!goal.is_listed && !options_.keep_other_peers)
                change.removed_peers.push_back(*goal.key);
    }

  private:
    void add_present(const DevicePeer& peer) {
        const std::size_t index = goals_.size();
        indices_.emplace(peer.public_key, index);
        goals_.push_back({&peer.public_key, &peer, nullptr, nullptr, std::nullopt, {}, false});
        for (const auto& prefix : peer.allowed_ips) {
            present_owners_.insert_or_assign(prefix.masked(), index);
            goals_.back().claimed.push_back(prefix.masked());
        }
    }

    void want(const WantedPeer& peer) {
        const auto [at, fresh] = indices_.emplace(peer.public_key, goals_.size());
        const std::size_t index = at->second;
        if (fresh)
            goals_.push_back(
                {&peer.public_key, nullptr, nullptr, nullptr, std::nullopt, {}, false});
        Goal& goal = goals_.at(index);
        if (!goal.is_listed) order_.push_back(index);
        goal.is_listed = true;
        if (peer.preshared_key) goal.preshared_key = &*peer.preshared_key;
        if (peer.address) goal.address = &*peer.address;
        if (peer.persistent_keepalive) goal.persistent_keepalive = peer.persistent_keepalive;
        if (peer.replace_allowed_ips)
            for (const auto& prefix : goal.claimed) disown(prefix, index);
        for (const auto& prefix : peer.allowed_ips) {
            owners_.insert_or_assign(prefix.masked(), index);
            goal.claimed.push_back(prefix.masked());
        }
        if (!peer.replace_allowed_ips)
            for (const auto& prefix : peer.removed_ips) disown(prefix.masked(), index);
    }

    void disown(const Prefix& prefix, std::size_t index) {
        const auto at = owners_.find(prefix);
        if (at != owners_.end() && at->second == index) owners_.erase(at);
    }

    void write_allowed_ips(std::vector<PeerChange>& changes) const {
        for (const auto& [prefix, index] : owners_) {
            const auto before = present_owners_.find(prefix);
            if (before == present_owners_.end())
                changes.at(index).added.push_back(prefix);
            else if (before->second != index)
                changes.at(index).moved.push_back({prefix, *goals_.at(before->second).key});
        }
        for (const auto& [prefix, index] : present_owners_)
            if (goals_.at(index).is_listed && !owners_.contains(prefix))
                changes.at(index).removed.push_back(prefix);
    }

    void write_fields(const Goal& goal, PeerChange& change) const {
        change.public_key = *goal.key;
        change.is_new = goal.present == nullptr;
        static const DevicePeer nothing;
        const DevicePeer& present = goal.present != nullptr ? *goal.present : nothing;
        if (goal.preshared_key != nullptr) {
            const auto& key = *goal.preshared_key;
            const bool same =
                present.preshared_key ? equal(key, *present.preshared_key) : is_zero(key);
            if (!same) change.preshared_key = key.clone();
        }
        if (goal.address != nullptr && *goal.address != present.endpoint
            && may_set_endpoint(goal.present, options_))
            change.endpoint = *goal.address;
        if (goal.persistent_keepalive && *goal.persistent_keepalive != present.persistent_keepalive)
            change.persistent_keepalive = goal.persistent_keepalive;
    }

    DiffOptions options_;
    std::optional<PublicKey> own_;
    std::vector<Goal> goals_; ///< of the present peers, in their order, then of new ones
    std::unordered_map<PublicKey, std::size_t> indices_;
    Owners present_owners_;
    Owners owners_;
    std::vector<std::size_t> order_; ///< of the listed ones, as they are listed
};

} // namespace

bool is_stale(const DevicePeer& peer, std::int64_t now) {
    return now - peer.last_handshake_seconds > stale_seconds;
}

bool DeviceChange::empty() const {
    return !private_key && !listen_port && !fwmark && peers.empty() && removed_peers.empty();
}

std::vector<WantedPeer*> peers_to_look_up(WantedDevice& wanted, const Device& present,
                                          const DiffOptions& options) {
    std::unordered_map<PublicKey, const DevicePeer*> known;
    for (const auto& peer : present.peers) known.emplace(peer.public_key, &peer);
    std::vector<WantedPeer*> peers;
    for (auto& peer : wanted.peers) {
        const auto at = known.find(peer.public_key);
        if (peer.endpoint && !peer.address
            && may_set_endpoint(at == known.end() ? nullptr : at->second, options))
            peers.push_back(&peer);
    }
    return peers;
}

std::vector<Prefix> allowed_ips_after(const Device& present, const DeviceChange& change) {
    std::vector<Prefix> gone;
    std::vector<Prefix> after;
    std::unordered_set<PublicKey> gone_peers(change.removed_peers.begin(),
                                             change.removed_peers.end());
    // A peer whose key becomes the device's own goes by itself.
    if (change.private_key && !is_zero(*change.private_key))
        gone_peers.insert(public_key(*change.private_key));
    for (const auto& peer : change.peers) {
        gone.insert(gone.end(), peer.removed.begin(), peer.removed.end());
        after.insert(after.end(), peer.added.begin(), peer.added.end());
        for (const auto& moved : peer.moved) after.push_back(moved.prefix);
    }
    std::sort(gone.begin(), gone.end());
    for (const auto& peer : present.peers) {
        if (gone_peers.contains(peer.public_key)) continue;
        for (const auto& prefix : peer.allowed_ips)
            if (!std::binary_search(gone.begin(), gone.end(), prefix.masked()))
                after.push_back(prefix.masked());
    }
    std::sort(after.begin(), after.end());
    after.erase(std::unique(after.begin(), after.end()), after.end());
    return after;
}

DeviceChange take_removals(DeviceChange& change) {
    DeviceChange removals;
    removals.removed_peers = std::move(change.removed_peers);
    change.removed_peers.clear();
    if (change.fwmark == 0U) removals.fwmark = std::exchange(change.fwmark, std::nullopt);
    for (auto& peer : change.peers) {
        if (peer.removed.empty()) continue;
        auto& less = removals.peers.emplace_back();
        less.public_key = peer.public_key;
        less.removed = std::move(peer.removed);
        peer.removed.clear();
    }
    return removals;
}

DeviceChange diff(const WantedDevice& wanted, const Device& present, const DiffOptions& options) {
    DeviceChange change;
    change_device(wanted, present, change);
    PeerDiff(wanted, present, options).write(change);
    return change;
}

} // namespace wgkit
