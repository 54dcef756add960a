#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wgkit/export.hpp"
#include "wgkit/inventory.hpp"
#include "wgkit/lock.hpp"

/// The mesh as it follows from inventory and lock: who peers with whom, and how. Pure; peers are
/// computed node by node, so that a mesh of thousands is never held in memory.
namespace wgkit::mesh {

/// Index into Network::nodes.
using NodeIndex = std::uint32_t;

/// What a node's [Peer] block says of one other node.
struct Peer {
    NodeIndex node = 0;
    /// AllowedIPs are `*own`, which outlives the peer with its Plan, followed by `more`.
    const std::vector<Prefix>* own = nullptr;
    std::vector<Prefix> more;
    const Endpoint* endpoint = nullptr; ///< nullptr: learned from the peer's packets
    std::uint16_t keepalive = 0;        ///< Units: seconds; 0 = off
    PskMode psk = PskMode::none;
    std::uint32_t psk_epoch = 0; ///< the older of the two nodes' epochs: both know it

    /// Addresses and routed subnets together: the AllowedIPs of the peer block.
    std::vector<Prefix> allowed_ips() const;
};

/// One node with everything the plan knows of it.
struct Member {
    const Node* node = nullptr;
    const LockedNode* locked = nullptr;
    bool active = false;           ///< neither disabled nor expired
    bool forwards = false;         ///< must route between its interfaces
    std::vector<Prefix> addresses; ///< own addresses as /32 and /128
    std::vector<Prefix> routes;    ///< subnets behind the node
    std::vector<Prefix> prefixes;  ///< addresses, then routes
    std::vector<Prefix> interface; ///< own addresses with the length of their pool
};

/// How traffic from one node to another goes.
struct Path {
    /// Which way.
    enum class Kind {
        none,   ///< nothing links the two, or no side can be reached
        direct, ///< they are peers
        hub,    ///< through the first hub of a hub rule
        relay,  ///< through a relay, because neither side can be reached
        exit,   ///< only as any other address of the internet, through an exit node
    };
    Kind kind = Kind::none;
    NodeIndex via = 0;                     ///< of hub, relay, exit
    const TopologyRule* rule = nullptr;    ///< what links them, if a rule does
    const std::string* underlay = nullptr; ///< of the first hop
};

/// Who is whose peer in a network, with which endpoint, AllowedIPs and keepalive.
class WGKIT_API Plan {
  public:
    /// Keeps references: `network` and `lock` must outlive the plan. Needs a lock that `reconcile`
    /// made from this network. What has no path is left out; `check` reports it.
    Plan(const Network& network, const LockedNetwork& lock, Date today);
    ~Plan();
    Plan(Plan&&) noexcept;

    /// The network that was planned.
    const Network& network() const;
    /// How many nodes take part.
    NodeIndex size() const;
    /// A node of the plan; `node` is below `size()`.
    const Member& member(NodeIndex node) const;
    /// Nothing if no node of the plan has the name.
    std::optional<NodeIndex> find(std::string_view name) const;

    /// The node's peers in the order of their names, so that reordering the inventory changes no
    /// file; none if the node is not active.
    /// Cost: one pass over the network. Threads: safe to call from several.
    std::vector<Peer> peers(NodeIndex node) const;
    /// True if what a node says of a peer depends on these two nodes alone: nothing is carried
    /// through hubs or relays. Then `peer` gives single elements of `peers`.
    bool pairs_are_independent() const;
    /// Nothing if the two are no peers.
    std::optional<Peer> peer(NodeIndex node, NodeIndex other) const;
    /// As seen from `from`; symmetric in kind and via.
    Path path(NodeIndex from, NodeIndex to) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace wgkit::mesh
