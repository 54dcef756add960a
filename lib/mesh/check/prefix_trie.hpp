#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "wgkit/ip.hpp"

namespace wgkit::mesh {

/// Prefixes of both families as a binary tree, a level a bit: finds what covers a prefix in at
/// most 128 steps, whatever the number of prefixes.
template <class T>
class PrefixTrie {
  public:
    /// Nothing if it was added; else the value that has this very prefix and keeps it.
    const T* insert(const Prefix& prefix, T value) {
        std::uint32_t at = root(prefix);
        for (unsigned i = 0; i < prefix.length; ++i) {
            const unsigned side = bit(prefix, i);
            if (nodes_[at].child[side] == 0) {
                nodes_[at].child[side] = static_cast<std::uint32_t>(nodes_.size());
                nodes_.emplace_back();
            }
            at = nodes_[at].child[side];
        }
        auto& slot = nodes_[at].value;
        if (slot) return &*slot;
        slot = std::move(value);
        return nullptr;
    }

    /// The longest prefix that properly covers this one and whose value the filter takes.
    template <class Filter>
    const T* covering(const Prefix& prefix, const Filter& takes) const {
        const T* best = nullptr;
        std::uint32_t at = root(prefix);
        for (unsigned i = 0; i < prefix.length; ++i) {
            if (nodes_[at].value && takes(*nodes_[at].value)) best = &*nodes_[at].value;
            at = nodes_[at].child[bit(prefix, i)];
            if (at == 0) break;
        }
        return best;
    }

  private:
    struct Node {
        std::array<std::uint32_t, 2> child{}; ///< 0: none, for no child is a root
        std::optional<T> value;
    };

    static std::uint32_t root(const Prefix& prefix) { return prefix.address.is_v4() ? 0 : 1; }
    static unsigned bit(const Prefix& prefix, unsigned i) {
        return (prefix.address.bytes()[i / 8] >> (7 - i % 8)) & 1U;
    }

    std::vector<Node> nodes_ = std::vector<Node>(2); ///< the roots of IPv4 and IPv6 first
};

} // namespace wgkit::mesh
