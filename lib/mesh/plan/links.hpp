#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wgkit/plan.hpp"

namespace wgkit::mesh {

/// A topology rule with its selectors resolved to nodes.
struct ResolvedRule {
    const TopologyRule* rule = nullptr;
    std::vector<NodeIndex> first; ///< in the order of the file; of links: pairs
    std::vector<NodeIndex> second;
    std::vector<bool> in_first; ///< by node
    std::vector<bool> in_second;
};

/// Who is linked with whom by `topology:`, before anyone asks whether they can reach each other.
class Links {
  public:
    /// Nodes that are not active are linked with nobody.
    Links(const Network& network, const std::vector<bool>& active);

    /// Sets `marks[j]` for every j that a rule links with `node`.
    void mark(NodeIndex node, std::vector<std::uint8_t>& marks) const;
    /// The first rule that links the two, or nullptr.
    const TopologyRule* linking(NodeIndex a, NodeIndex b) const;
    /// The hub that carries a spoke's traffic to what it is not linked with: the first of the
    /// first rule that has it as a spoke. Nothing for hubs and nodes outside hub rules.
    std::optional<NodeIndex> hub_of(NodeIndex node) const;
    const std::vector<ResolvedRule>& rules() const { return rules_; }

  private:
    bool links(const ResolvedRule& rule, NodeIndex a, NodeIndex b) const;

    const Network& network_;
    std::vector<ResolvedRule> rules_;
    std::vector<std::vector<NodeIndex>> explicit_; ///< of links rules, by node
    std::vector<std::optional<NodeIndex>> hubs_;   ///< by node
};

/// Does the term of a selector (`all`, a name, `tag:NAME`) mean this node?
bool selects(std::string_view term, const Node& node);

} // namespace wgkit::mesh
