#include "engine/allowed_ips.hpp"

#include <algorithm>

namespace wgkit::engine {

void AllowedIps::insert(const Prefix& prefix, AllowedIpsOwner& owner) {
    const Family family = prefix.address.family();
    const unsigned length = prefix.length;
    const AddressBits bits = AddressBits::of(prefix.address).first(length);
    Place place;
    for (Index index = at(place, family); index != none; index = at(place, family)) {
        const unsigned common =
            std::min({nodes_[index].bits.common(bits), unsigned{nodes_[index].length}, length});
        if (common < nodes_[index].length) {
            // The new prefix leaves the path within this node: something comes between.
            const Index between = make(bits.first(common), common, family);
            nodes_[between].child[nodes_[index].bits.bit(common)] = index;
            at(place, family) = between;
            if (common == length) return own(between, owner);
            const Index leaf = make(bits, length, family);
            nodes_[between].child[bits.bit(common)] = leaf;
            return own(leaf, owner);
        }
        if (common == length) return own(index, owner);
        place = {index, bits.bit(common)};
    }
    const Index leaf = make(bits, length, family);
    at(place, family) = leaf;
    own(leaf, owner);
}

void AllowedIps::remove(const Prefix& prefix, AllowedIpsOwner& owner) {
    const AddressBits bits = AddressBits::of(prefix.address).first(prefix.length);
    for (Index index = roots_[root_of(prefix.address.family())]; index != none;) {
        const Node& node = nodes_[index];
        if (node.length > prefix.length || node.bits.common(bits) < node.length) return;
        if (node.length == prefix.length) {
            if (node.owner == &owner) erase(index);
            return;
        }
        index = node.child[bits.bit(node.length)];
    }
}

void AllowedIps::remove_all(AllowedIpsOwner& owner) {
    while (owner.first != none) erase(owner.first);
}

AllowedIpsOwner* AllowedIps::find(const AddressBits& address, Family family) const {
    AllowedIpsOwner* best = nullptr;
    const unsigned all = family == Family::ipv4 ? 32 : 128;
    for (Index index = roots_[root_of(family)]; index != none;) {
        const Node& node = nodes_[index];
        if (node.bits.common(address) < node.length) break;
        if (node.owner != nullptr) best = node.owner;
        if (node.length == all) break;
        index = node.child[address.bit(node.length)];
    }
    return best;
}

std::vector<Prefix> AllowedIps::of(const AllowedIpsOwner& owner) const {
    std::vector<Prefix> prefixes;
    for (Index index = owner.first; index != none; index = nodes_[index].next) {
        const Node& node = nodes_[index];
        prefixes.push_back({node.bits.to_ip(node.family), node.length});
    }
    return prefixes;
}

AllowedIps::Index AllowedIps::make(const AddressBits& bits, unsigned length, Family family) {
    Index index = free_;
    if (index == none) {
        index = static_cast<Index>(nodes_.size());
        nodes_.emplace_back();
    } else {
        free_ = nodes_[index].next;
        nodes_[index] = {};
    }
    nodes_[index].bits = bits;
    nodes_[index].length = static_cast<std::uint8_t>(length);
    nodes_[index].family = family;
    return index;
}

void AllowedIps::own(Index index, AllowedIpsOwner& owner) {
    Node& node = nodes_[index];
    if (node.owner == &owner) return;
    if (node.owner != nullptr) disown(index);
    node.owner = &owner;
    node.previous = owner.last;
    node.next = none;
    (owner.last == none ? owner.first : nodes_[owner.last].next) = index;
    owner.last = index;
}

void AllowedIps::disown(Index index) {
    Node& node = nodes_[index];
    (node.previous == none ? node.owner->first : nodes_[node.previous].next) = node.next;
    (node.next == none ? node.owner->last : nodes_[node.next].previous) = node.previous;
    node.owner = nullptr;
}

/// Takes the prefix from its owner, and the node out of the trie unless it is needed to branch.
void AllowedIps::erase(Index target) {
    disown(target);
    const AddressBits bits = nodes_[target].bits;
    const Family family = nodes_[target].family;
    Place grandparent;
    Place parent;
    for (Index index = at(parent, family); index != target; index = at(parent, family)) {
        grandparent = parent;
        parent = {index, bits.bit(nodes_[index].length)};
    }
    at(parent, family) = collapse(target);
    if (parent.parent != none) at(grandparent, family) = collapse(parent.parent);
}

/// What may stand in the node's place: itself, or what is left if it neither owns nor branches.
AllowedIps::Index AllowedIps::collapse(Index index) {
    Node& node = nodes_[index];
    if (node.owner != nullptr || (node.child[0] != none && node.child[1] != none)) return index;
    const Index rest = node.child[0] != none ? node.child[0] : node.child[1];
    node.next = free_;
    free_ = index;
    return rest;
}

} // namespace wgkit::engine
