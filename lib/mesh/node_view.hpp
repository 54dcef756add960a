#pragma once

#include <optional>
#include <vector>

#include "mesh/key_store.hpp"
#include "mesh/psk_master.hpp"
#include "wgkit/plan.hpp"

namespace wgkit::mesh {

/// The secrets of one network, loaded.
struct NetworkSecrets {
    std::vector<std::optional<PrivateKey>> keys; ///< by node; nothing: the key is on the node
    std::optional<PskMaster> master;
    StoredPairs pairs; ///< win over derived ones
};

/// Everything a format needs to know to write one node's files.
struct NodeView {
    const Plan& plan;
    const Member& member;
    const PrivateKey* key; ///< nullptr: loaded on the node from key_path()
    std::vector<Peer> peers;
    std::vector<std::optional<PresharedKey>> psks; ///< one for each peer

    const Node& node() const { return *member.node; }
    const Node& node_of(const Peer& peer) const { return *plan.member(peer.node).node; }
    const PublicKey& key_of(const Peer& peer) const { return *plan.member(peer.node).locked->key; }
    /// Where the private key is on the node, without the leading slash.
    std::string key_path() const;
};

/// Errors: a PSK epoch whose master is erased.
Result<NodeView> make_view(const Plan& plan, NodeIndex node, const NetworkSecrets& secrets,
                           PairKeys* pair_keys);

} // namespace wgkit::mesh
