// Inventory + lock -> lock: the only place where addresses are decided.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "mesh/lock/address_pool.hpp"
#include "wgkit/lock.hpp"

namespace wgkit::mesh {

namespace {

/// What differs between the two families, so that one algorithm serves both.
struct FamilyFields {
    std::optional<Located<Prefix>> Network::*pool;
    std::optional<Located<IpAddress>> Node::*fixed;
    std::optional<IpAddress> LockedNode::*locked;
    std::optional<IpAddress> Tombstone::*buried;
};

constexpr FamilyFields ipv4{&Network::ipv4, &Node::ipv4, &LockedNode::ipv4, &Tombstone::ipv4};
constexpr FamilyFields ipv6{&Network::ipv6, &Node::ipv6, &LockedNode::ipv6, &Tombstone::ipv6};

/// Pairs of a node of the inventory and its line of the lock, in the order of the file.
using Pairs = std::vector<std::pair<const Node*, LockedNode*>>;
using Names = std::unordered_set<std::string_view>;

/// Takes fixed and already allocated addresses into the pool, and reports who is in the way.
void take_known(const FamilyFields& f, const Prefix& pool, const Pairs& pairs,
                const Names& returned, AddressPool& free, Diagnostics& d) {
    std::map<IpAddress, const Node*> owner;
    const auto claim = [&](const Node& node, const IpAddress& address, Mark mark) {
        const auto [first, is_new] = owner.emplace(address, &node);
        if (is_new) {
            free.take(address);
            return;
        }
        auto& found =
            d.error("duplicate-address", mark,
                    fmt::format("{} and {} both have the address {}", first->second->name.value,
                                node.name.value, to_string(address)));
        const auto& other = first->second->*f.fixed;
        found.notes.push_back({{},
                               other ? other->mark : first->second->name.mark,
                               fmt::format("{} has it here", first->second->name.value)});
        found.hint = "give one of them another address, or none to have one allocated";
    };
    for (const auto& [node, locked] : pairs) { // fixed ones first: they are the owner's word
        const auto& fixed = node->*f.fixed;
        if (!fixed) continue;
        if (!pool.contains(fixed->value))
            d.error("address-outside-pool", fixed->mark,
                    fmt::format("address {} of {} is outside the pool {}", to_string(fixed->value),
                                node->name.value, to_string(pool)));
        locked->*f.locked = fixed->value;
        claim(*node, fixed->value, fixed->mark);
    }
    for (const auto& [node, locked] : pairs) {
        auto& address = locked->*f.locked;
        if (node->*f.fixed || !address) continue;
        // A node that comes back has no claim on what others were given meanwhile.
        if (returned.contains(node->name.value)
            && (owner.contains(*address) || !pool.contains(*address))) {
            address.reset();
            continue;
        }
        if (!pool.contains(*address))
            d.error("address-outside-pool", node->name.mark,
                    fmt::format("address {} of {}, allocated earlier, is outside the pool {}",
                                to_string(*address), node->name.value, to_string(pool)))
                .hint = "keep the pool, or delete the node's line in the lock to renumber it";
        claim(*node, *address, node->name.mark);
    }
}

void assign(const FamilyFields& f, const Network& network, const Pairs& pairs,
            const Names& returned, const std::vector<Tombstone>& tombstones, Diagnostics& d) {
    const auto& pool = network.*f.pool;
    if (!pool) {
        for (const auto& [node, locked] : pairs) {
            if (const auto& fixed = node->*f.fixed)
                d.error("address-outside-pool", fixed->mark,
                        fmt::format("address {} of {} is in no pool of the network",
                                    to_string(fixed->value), node->name.value));
            (locked->*f.locked).reset();
        }
        return;
    }
    AddressPool free(pool->value);
    take_known(f, pool->value, pairs, returned, free, d);
    for (const auto& stone : tombstones)
        if (stone.*f.buried) free.take(*(stone.*f.buried));
    for (const auto& [node, locked] : pairs) {
        auto& address = locked->*f.locked;
        if (address) continue;
        const bool twin = f.locked == &LockedNode::ipv6 && locked->ipv4 && network.ipv4;
        address = twin ? free.allocate_like(*locked->ipv4, network.ipv4->value) : free.allocate();
        if (address) continue;
        auto& found = d.error("pool-exhausted", pool->mark,
                              fmt::format("the pool {} has no address left for {}",
                                          to_string(pool->value), node->name.value));
        found.hint = tombstones.empty()
                         ? "widen the pool; addresses within it stay as they are"
                         : "widen the pool, or wait until addresses of removed nodes are free "
                           "again (30 days)";
        return;
    }
}

/// Keeps the addresses that a node had and has no more; `now` is nothing if it left. One tombstone
/// a name: the latest.
void bury(std::vector<Tombstone>& stones, const Node* now, const LockedNode& before, Date today) {
    Tombstone stone{before.name, {}, {}, today};
    for (const auto& f : {ipv4, ipv6}) {
        const auto& had = before.*f.locked;
        const bool keeps = now != nullptr && (!(now->*f.fixed) || (now->*f.fixed)->value == had);
        if (had && !keeps) stone.*f.buried = had;
    }
    if (!stone.ipv4 && !stone.ipv6) return;
    std::erase_if(stones, [&](const Tombstone& other) { return other.name == stone.name; });
    stones.push_back(std::move(stone));
}

} // namespace

LockedNetwork reconcile(const Network& network, const LockedNetwork& before, Date today,
                        Diagnostics& diagnostics) {
    LockedNetwork after{network.name.value, {}, {}, before.psk_master};
    std::unordered_map<std::string_view, const Node*> wanted;
    for (const auto& node : network.nodes) wanted.emplace(node.name.value, &node);

    // One of a node that is still there is of an address that it gave up.
    for (const auto& stone : before.tombstones)
        if ((!wanted.contains(stone.name) || before.find(stone.name) != nullptr)
            && today < stone.freed + tombstone_days)
            after.tombstones.push_back(stone);
    for (const auto& node : before.nodes) {
        const auto now = wanted.find(node.name);
        if (now != wanted.end()) after.nodes.push_back(node);
        bury(after.tombstones, now == wanted.end() ? nullptr : now->second, node, today);
    }
    std::unordered_map<std::string_view, const Tombstone*> buried;
    for (const auto& stone : before.tombstones) buried.emplace(stone.name, &stone);
    std::uint32_t newest_epoch = 1; // older ones may have no master any more
    for (const auto& node : before.nodes) newest_epoch = std::max(newest_epoch, node.psk_epoch);
    Names returned;
    for (const auto& [name, node] : wanted) {
        if (before.find(name) != nullptr) continue;
        LockedNode fresh;
        fresh.name = name;
        fresh.psk_epoch = newest_epoch;
        if (const auto stone = buried.find(name); stone != buried.end()) {
            fresh.ipv4 = stone->second->ipv4; // a node that comes back is no stranger
            fresh.ipv6 = stone->second->ipv6;
            returned.insert(name);
        }
        after.nodes.push_back(std::move(fresh));
    }
    const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
    std::sort(after.nodes.begin(), after.nodes.end(), by_name);
    std::sort(after.tombstones.begin(), after.tombstones.end(), by_name);

    Pairs pairs;
    for (const auto& node : network.nodes)
        if (wanted.at(node.name.value) == &node) // the first of several with one name
            pairs.emplace_back(&node, after.find(node.name.value));
    assign(ipv4, network, pairs, returned, after.tombstones, diagnostics);
    assign(ipv6, network, pairs, returned, after.tombstones, diagnostics);
    return after;
}

} // namespace wgkit::mesh
