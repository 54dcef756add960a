#include "agent/derivation.hpp"

#include <algorithm>
#include <utility>

namespace wgkit::agent {

namespace {

using trust::NodeRecord;

/// More changes than these are not worth being made one by one.
constexpr std::size_t most_changes = 32;

struct Difference {
    const NodeRecord* before = nullptr;
    const NodeRecord* after = nullptr;
};

/// Both sorted by name.
std::vector<Difference> differences(const std::vector<NodeRecord>& before,
                                    const std::vector<NodeRecord>& after) {
    std::vector<Difference> out;
    auto a = before.begin();
    auto b = after.begin();
    while ((a != before.end() || b != after.end()) && out.size() <= most_changes) {
        if (b == after.end() || (a != before.end() && a->name < b->name))
            out.push_back({&*a++, nullptr});
        else if (a == before.end() || b->name < a->name)
            out.push_back({nullptr, &*b++});
        else if (*a != *b)
            out.push_back({&*a++, &*b++});
        else
            ++a, ++b;
    }
    return out;
}

/// What a node needs alone, and no other may have: judged over the whole fleet.
bool may_clash(const NodeRecord& record) {
    return record.fields.find("endpoint") != std::string::npos;
}

SecretString interface_text(config::Config& config) {
    auto peers = std::exchange(config.peers, {});
    auto text = config::write(config);
    config.peers = std::move(peers);
    return text;
}

/// Whether some other node's fields name the same endpoint.
bool shares_endpoint(const std::vector<NodeRecord>& nodes, const NodeRecord& record) {
    constexpr std::string_view word = "\"endpoint\":\"";
    const auto begin = record.fields.find(word);
    const auto end =
        begin == record.fields.npos ? begin : record.fields.find('"', begin + word.size());
    if (end == record.fields.npos) return true; // not as join keys write it: let all be judged
    const auto endpoint = std::string_view(record.fields)
                              .substr(begin + word.size() - 1, end - begin - word.size() + 2);
    return std::any_of(nodes.begin(), nodes.end(), [&](const NodeRecord& other) {
        return other.name != record.name && other.fields.find(endpoint) != std::string::npos;
    });
}

} // namespace

Result<OwnConfig*> Derivation::derive(const trust::FleetObject& fleet,
                                      const std::vector<NodeRecord>& nodes,
                                      std::span<const NodeRecord> admitted, std::string_view node,
                                      const PrivateKey& key, mesh::Date today,
                                      std::vector<std::string>& left_out) {
    std::vector<NodeRecord> all = nodes;
    all.insert(all.end(), admitted.begin(), admitted.end());
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    if (try_change(fleet, all, node, key, today)) return &own_;
    is_known_ = false;
    ++full_runs_;
    const auto composed = compose_with_admitted(fleet, nodes, admitted, today, left_out);
    if (!composed) return composed.error();
    auto own = own_config(*composed, node, key);
    if (!own) return own.error();
    own_ = *std::move(own);
    // Who was left out may fit another time.
    is_independent_ = left_out.empty() && composed->plans.front().pairs_are_independent();
    fleet_ = to_json(fleet);
    today_ = today;
    key_ = public_key(key);
    nodes_ = std::move(all);
    interface_ = interface_text(own_.config);
    is_known_ = true;
    return &own_;
}

bool Derivation::try_change(const trust::FleetObject& fleet, std::vector<NodeRecord>& nodes,
                            std::string_view node, const PrivateKey& key, mesh::Date today) {
    if (!is_known_ || !is_independent_ || today != today_ || key_ != public_key(key)
        || to_json(fleet) != fleet_)
        return false;
    const auto changes = differences(nodes_, nodes);
    if (changes.size() > most_changes) return false;
    const auto mine = std::lower_bound(
        nodes.begin(), nodes.end(), node,
        [](const NodeRecord& record, std::string_view name) { return record.name < name; });
    if (mine == nodes.end() || mine->name != node) return false;
    for (const auto& [before, after] : changes) {
        const auto& name = before != nullptr ? before->name : after->name;
        if (name == node) return false;
        if (after != nullptr && may_clash(*after) && shares_endpoint(nodes, *after)) return false;
    }
    is_known_ = false; // until all of it is done
    for (const auto& [before, after] : changes) {
        if (before != nullptr)
            std::erase_if(own_.config.peers, [&, gone = before](const config::Peer& peer) {
                return peer.public_key == gone->key;
            });
        if (after != nullptr && !put_peer(fleet, *mine, *after, key, today)) return false;
    }
    nodes_ = std::move(nodes);
    is_known_ = true;
    return true;
}

/// The two of them make a fleet of their own. False: it is not that simple.
bool Derivation::put_peer(const trust::FleetObject& fleet, const NodeRecord& mine,
                          const NodeRecord& other, const PrivateKey& key, mesh::Date today) {
    const std::array both{mine, other};
    const auto pair = compose_fleet(fleet, both, today);
    if (!pair) return false;
    auto own = own_config(*pair, mine.name, key);
    if (!own || interface_text(own->config) != interface_) return false;
    for (auto& peer : own->config.peers) own_.config.peers.push_back(std::move(peer));
    return true;
}

} // namespace wgkit::agent
