#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/address_bits.hpp"
#include "wgkit/ip.hpp"

namespace wgkit::engine {

/// Who owns prefixes: a peer derives from it. Holds the list of its prefixes.
struct AllowedIpsOwner {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
};

/// Which peer owns an address: the longest matching prefix. A trie with compressed paths for each
/// family, and for each owner a list of its prefixes in the order they came.
class AllowedIps {
  public:
    /// Gives the prefix to the owner, also if it was another's. Host bits are cleared.
    void insert(const Prefix& prefix, AllowedIpsOwner& owner);
    /// Takes the prefix away, if it is this owner's.
    void remove(const Prefix& prefix, AllowedIpsOwner& owner);
    void remove_all(AllowedIpsOwner& owner);

    AllowedIpsOwner* find(const IpAddress& address) const {
        return find(AddressBits::of(address), address.family());
    }
    AllowedIpsOwner* find(const AddressBits& address, Family family) const;

    std::vector<Prefix> of(const AllowedIpsOwner& owner) const;
    bool empty() const { return roots_[0] == none && roots_[1] == none; }

  private:
    using Index = std::uint32_t;
    static constexpr Index none = 0; ///< nodes_[0] is no node

    struct Node {
        AddressBits bits;
        AllowedIpsOwner* owner = nullptr; ///< nobody: the node only branches
        std::array<Index, 2> child = {none, none};
        Index next = none; ///< of the same owner; a free node: the next free one
        Index previous = none;
        std::uint8_t length = 0;
        Family family = Family::ipv4;
    };
    /// Where a node hangs: a child of `parent`, or the root of a family.
    struct Place {
        Index parent = none;
        unsigned side = 0;
    };

    static unsigned root_of(Family family) { return family == Family::ipv4 ? 0 : 1; }
    Index& at(Place place, Family family) {
        return place.parent == none ? roots_[root_of(family)]
                                    : nodes_[place.parent].child[place.side];
    }
    Index make(const AddressBits& bits, unsigned length, Family family);
    void own(Index node, AllowedIpsOwner& owner);
    void disown(Index node);
    void erase(Index node);
    Index collapse(Index node);

    std::vector<Node> nodes_ = std::vector<Node>(1);
    Index free_ = none;
    std::array<Index, 2> roots_ = {none, none};
};

} // namespace wgkit::engine
