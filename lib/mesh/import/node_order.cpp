#include "mesh/import/node_order.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace wgkit::mesh {

std::vector<std::string> common_order(const std::vector<Draft>& drafts) {
    std::map<std::string, std::set<std::string>> after;
    std::map<std::string, std::size_t> waits;
    for (const auto& draft : drafts)
        for (const auto& node : draft.nodes) {
            waits[node.name];
            for (std::size_t k = 1; k < node.peers.size(); ++k) {
                const std::string& first = draft.nodes[node.peers[k - 1].node].name;
                const std::string& second = draft.nodes[node.peers[k].node].name;
                if (after[first].insert(second).second) ++waits[second];
            }
        }
    std::vector<std::string> order;
    while (!waits.empty()) {
        auto next = std::find_if(waits.begin(), waits.end(),
                                 [](const auto& one) { return one.second == 0; });
        if (next == waits.end()) next = waits.begin(); // files that disagree
        order.push_back(next->first);
        waits.erase(next);
        for (const auto& name : after[order.back()])
            if (const auto waiting = waits.find(name);
                waiting != waits.end() && waiting->second > 0)
                --waiting->second;
    }
    return order;
}

void reorder(Draft& draft, const std::vector<std::string>& order) {
    std::map<std::string_view, std::size_t> rank;
    for (std::size_t i = 0; i < order.size(); ++i) rank.emplace(order[i], i);
    std::vector<std::size_t> old(draft.nodes.size());
    for (std::size_t i = 0; i < old.size(); ++i) old[i] = i;
    std::sort(old.begin(), old.end(), [&](std::size_t a, std::size_t b) {
        return rank[draft.nodes[a].name] < rank[draft.nodes[b].name];
    });
    std::vector<std::size_t> now(old.size());
    std::vector<DraftNode> nodes;
    for (std::size_t i = 0; i < old.size(); ++i) {
        now[old[i]] = i;
        nodes.push_back(std::move(draft.nodes[old[i]]));
    }
    for (auto& node : nodes)
        for (auto& peer : node.peers) peer.node = now[peer.node];
    draft.nodes = std::move(nodes);
}

} // namespace wgkit::mesh
