#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fw/directory.hpp"
#include "wgkit/policy.hpp"

namespace wgkit::fw {

/// A rule with its names looked up.
struct ResolvedRule {
    const PolicyRule* rule = nullptr;
    Party from;
    Party to;
};

struct FleetPolicy::Impl {
    Impl(const Policy& policy_in, const mesh::Fleet& fleet, Diagnostics& diagnostics);

    const Policy& policy;
    Directory directory;
    std::vector<ResolvedRule> rules;
    std::vector<std::vector<std::uint32_t>> concerns; ///< rules by node: those it may enforce

    Ruleset compile(NodeId node, const Seat& seat) const;

  private:
    void index();
};

/// Whether other nodes' traffic to each other goes through this one: hubs and relays.
bool carries(const mesh::Network& network, const mesh::Node& node);

/// What the two have in common: the longer one if one holds the other.
std::vector<Prefix> common(const std::vector<Prefix>& a, const std::vector<Prefix>& b);

} // namespace wgkit::fw
