#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "wgkit/plan.hpp"

namespace wgkit::mesh {

/// The underlay that two nodes meet on, and where each can be called there.
struct Meeting {
    const std::string* underlay = nullptr;
    const Endpoint* first = nullptr; ///< of the first node asked about; nullptr: cannot be called
    const Endpoint* second = nullptr;
};

/// Answers which nodes can reach each other, from the underlays they are on.
class Reach {
  public:
    explicit Reach(const Network& network);

    /// The best underlay common to both on which at least one can be called: the smallest sum of
    /// both nodes' ranks of preference, so both sides choose the same one.
    std::optional<Meeting> meet(NodeIndex a, NodeIndex b) const;
    /// Nodes of one kind are on the same underlays, in the same order, and can be called on the
    /// same of them: what meets one meets all. A fleet has few kinds.
    std::uint32_t kind(NodeIndex node) const { return kinds_[node]; }
    std::uint32_t kinds() const { return kind_count_; }

  private:
    struct Attachment {
        std::uint32_t underlay;
        const Underlay* source;
    };
    std::vector<std::vector<Attachment>> attachments_; ///< by node, in order of preference
    std::vector<std::uint32_t> kinds_;                 ///< by node
    std::uint32_t kind_count_ = 0;
};

} // namespace wgkit::mesh
