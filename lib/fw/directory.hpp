#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "wgkit/mesh.hpp"
#include "wgkit/policy.hpp"

/// Who is who: the names and addresses that a policy can mean.
namespace wgkit::fw {

/// Index of a node's name; the same in every network.
using NodeId = std::uint32_t;

/// A node in one network.
struct Seat {
    std::size_t network = 0; ///< index into Fleet::plans
    mesh::NodeIndex index = 0;
};

/// One side of a rule with its names looked up.
struct Party {
    bool everyone = false; ///< all nodes
    bool internet = false;
    std::vector<NodeId> nodes;    ///< sorted
    std::vector<Prefix> prefixes; ///< sorted
    bool has(NodeId node) const;
};

class Directory {
  public:
    /// Errors (as diagnostics): duplicate-name.
    Directory(const Policy& policy, const mesh::Fleet& fleet, Diagnostics& diagnostics);

    /// Errors (as diagnostics): unknown-name, group-cycle, host-bits, wrong-family.
    Party look_up(const std::vector<Located<std::string>>& names, Diagnostics& diagnostics) const;

    std::optional<NodeId> find(std::string_view name) const;
    std::size_t size() const { return names_.size(); }
    const std::string& name(NodeId node) const { return names_[node]; }
    const std::vector<Seat>& seats(NodeId node) const { return seats_[node]; }
    const mesh::Member& member(const Seat& seat) const;
    const mesh::Plan& plan(const Seat& seat) const { return fleet_.plans[seat.network]; }
    const mesh::Fleet& fleet() const { return fleet_; }

    /// Nodes that have an address in the prefix.
    std::vector<NodeId> nodes_in(const Prefix& prefix) const;
    /// The node of that very address.
    std::optional<NodeId> owner(const IpAddress& address) const;
    struct Route {
        Prefix prefix;
        NodeId node = 0;
        std::size_t network = 0;
    };
    /// Subnets behind nodes.
    const std::vector<Route>& routes() const { return routes_; }
    /// Whose subnet holds the address: the longest.
    const Route* route_to(const IpAddress& address) const;

  private:
    /// Groups on the way to a name: those that are open contain it, those seen need no second look.
    struct Groups {
        std::vector<const PolicyGroup*> open;
        std::unordered_set<const PolicyGroup*> seen;
    };
    void add(const Located<std::string>& name, Party& party, Groups& groups, Diagnostics& d) const;
    bool add_address(const Located<std::string>& name, Party& party, Diagnostics& d) const;
    void unknown(const Located<std::string>& name, Diagnostics& d) const;

    const Policy& policy_;
    const mesh::Fleet& fleet_;
    std::vector<std::string> names_;
    std::vector<std::vector<Seat>> seats_;
    std::unordered_map<std::string_view, NodeId> by_name_;
    std::unordered_map<std::string_view, std::vector<NodeId>> by_tag_;
    std::unordered_map<std::string_view, const PolicyHost*> hosts_;
    std::unordered_map<std::string_view, const PolicyGroup*> groups_;
    std::vector<std::pair<IpAddress, NodeId>> addresses_; ///< sorted
    std::vector<Route> routes_;
};

} // namespace wgkit::fw
