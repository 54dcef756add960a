#include "operator/hints.hpp"

namespace wgkit::agent {

Result<std::map<std::string, trust::Hint>> read_hints(store::Client& client,
                                                      const store::Layout& layout,
                                                      const trust::State& state,
                                                      std::span<const trust::NodeRecord> nodes) {
    const auto stored = client.get_prefixes({layout.hints()});
    if (!stored) return stored.error();
    std::map<std::string_view, const trust::NodeRecord*> by_name;
    for (const auto& node : nodes) by_name[node.name] = &node;
    std::map<std::string, trust::Hint> out;
    for (const auto& entry : stored->entries) {
        // Below a join key's id or not, the last part is the node's name.
        const std::string_view key = entry.key;
        const auto node = by_name.find(key.substr(key.rfind('/') + 1));
        if (node == by_name.end()) continue;
        auto hint = trust::check_hint(state, *node->second, entry.value);
        if (!hint) continue;
        const auto [kept, is_new] = out.try_emplace(hint->node);
        if (is_new || kept->second.time <= hint->time) kept->second = *std::move(hint);
    }
    return out;
}

} // namespace wgkit::agent
