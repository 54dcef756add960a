#include "mesh/reach.hpp"

#include <limits>
#include <map>

namespace wgkit::mesh {

Reach::Reach(const Network& network) {
    std::unordered_map<std::string_view, std::uint32_t> ids;
    std::map<std::vector<std::uint32_t>, std::uint32_t> kinds;
    for (const auto& node : network.nodes) {
        auto& list = attachments_.emplace_back();
        std::vector<std::uint32_t> signature;
        for (const auto& underlay : node.underlays) {
            const auto id = ids.emplace(underlay.name, static_cast<std::uint32_t>(ids.size()));
            list.push_back({id.first->second, &underlay});
            signature.push_back(2 * id.first->second + (underlay.endpoint ? 1 : 0));
        }
        kinds_.push_back(
            kinds.emplace(signature, static_cast<std::uint32_t>(kinds.size())).first->second);
    }
    kind_count_ = static_cast<std::uint32_t>(kinds.size());
}

std::optional<Meeting> Reach::meet(NodeIndex a, NodeIndex b) const {
    // In the order of the file, so that a tie falls the same way whoever asks.
    const bool swapped = b < a;
    const auto& first = attachments_[swapped ? b : a];
    const auto& second = attachments_[swapped ? a : b];
    std::optional<Meeting> best;
    std::size_t best_rank = std::numeric_limits<std::size_t>::max();
    const auto endpoint_of = [](const Attachment& at) {
        return at.source->endpoint ? &at.source->endpoint->value : nullptr;
    };
    for (std::size_t i = 0; i < first.size() && i < best_rank; ++i) {
        for (std::size_t j = 0; j < second.size() && i + j < best_rank; ++j) {
            if (first[i].underlay != second[j].underlay) continue;
            const Endpoint* one = endpoint_of(first[i]);
            const Endpoint* two = endpoint_of(second[j]);
            if (one == nullptr && two == nullptr) continue;
            best = Meeting{&first[i].source->name, one, two};
            best_rank = i + j;
        }
    }
    if (best && swapped) std::swap(best->first, best->second);
    return best;
}

} // namespace wgkit::mesh
