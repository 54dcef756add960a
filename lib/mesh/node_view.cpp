#include "mesh/node_view.hpp"

#include <fmt/format.h>

namespace wgkit::mesh {

std::string NodeView::key_path() const {
    return fmt::format("etc/wireguard/{}.key", node().interface);
}

Result<NodeView> make_view(const Plan& plan, NodeIndex node, const NetworkSecrets& secrets,
                           PairKeys* pair_keys) {
    const auto& key = secrets.keys[node];
    NodeView view{plan, plan.member(node), key ? &*key : nullptr, plan.peers(node), {}};
    view.psks.reserve(view.peers.size());
    for (const auto& peer : view.peers) {
        auto& psk = view.psks.emplace_back();
        if (peer.psk != PskMode::per_pair) continue;
        if (const auto* stored =
                secrets.pairs.find(view.node().name.value, view.node_of(peer).name.value)) {
            psk = stored->clone();
            continue;
        }
        const bool keys_known = view.member.locked->key && plan.member(peer.node).locked->key;
        if (pair_keys == nullptr || !keys_known) continue;
        auto derived =
            pair_keys->derive(peer.psk_epoch, *view.member.locked->key, view.key_of(peer));
        if (!derived) return std::move(derived).error();
        psk = std::move(*derived);
    }
    return view;
}

} // namespace wgkit::mesh
