#pragma once

#include <vector>

#include "mesh/links.hpp"
#include "wgkit/plan.hpp"

namespace wgkit::mesh {

/// Active nodes that nothing tells apart as far as links and reachability go: they are on the same
/// underlays, matched by the same topology rules and use the same exit. A fleet of thousands has a
/// handful of such classes, so that a question about all pairs is asked once a pair of classes.
class NodeClasses {
  public:
    explicit NodeClasses(const Plan& plan);

    std::size_t size() const { return members_.size(); }
    /// In the order of the file.
    const std::vector<NodeIndex>& members(std::size_t of) const { return members_[of]; }
    /// Which underlays the class is on and where it can be called: equal numbers, equal answers.
    std::size_t reach(std::size_t of) const { return reach_[of]; }
    /// Two different nodes of the classes (one class may be both); false if there are none.
    bool pair(std::size_t a, std::size_t b, NodeIndex& first, NodeIndex& second) const;

  private:
    std::vector<std::vector<NodeIndex>> members_;
    std::vector<std::size_t> reach_;
};

} // namespace wgkit::mesh
