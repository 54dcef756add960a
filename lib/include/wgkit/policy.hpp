#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/diagnostic.hpp"
#include "wgkit/export.hpp"
#include "wgkit/firewall.hpp"
#include "wgkit/inventory.hpp"
#include "wgkit/ip.hpp"
#include "wgkit/mesh.hpp"
#include "wgkit/traffic.hpp"

/// Who may reach what in a fleet: `policy:` of nodes.yaml, as wgkit-policy(5) describes it.
namespace wgkit::fw {

using mesh::Located;

/// A name for addresses, e.g. of a server behind a node.
struct PolicyHost {
    Located<std::string> name;
    std::vector<Prefix> prefixes;
};

/// A name for other names.
struct PolicyGroup {
    Located<std::string> name;
    std::vector<Located<std::string>> members;
};

/// `FROM -> TO: PORTS`: new flows that are let through.
struct PolicyRule {
    std::vector<Located<std::string>> from;
    std::vector<Located<std::string>> to;
    std::vector<Traffic> traffic;
    std::string text;
    Mark mark;
    bool log = false;
    Rate limit;
};

/// One flow that the policy must let through, or must not.
struct PolicyTest {
    bool reach = true;
    Located<std::string> from;
    Located<std::string> to;
    Traffic traffic;
    std::string text;
    Mark mark;
};

/// What nodes.yaml allows; wgkit-policy(5) tells its fields.
struct Policy {
    std::string file;
    bool is_set = false; ///< the inventory has a policy
    Mark mark;
    std::vector<PolicyHost> hosts;
    std::vector<PolicyGroup> groups;
    std::vector<PolicyRule> allow;
    std::vector<PolicyTest> tests;
    bool ping = true;
    bool log = false;
    bool clamp_mss = true;
    bool closed = false; ///< nodes also drop what else comes in outside of the tunnel
};

/// What was read of a policy.
struct ParsedPolicy {
    Policy policy; ///< incomplete where `diagnostics` has errors
    Diagnostics diagnostics;
};

/// Reads `policy:` of a nodes.yaml; of the rest only what it needs to refuse a name that is given
/// twice. Errors: all at once, as diagnostics with file:line:col.
WGKIT_API ParsedPolicy parse_policy(std::string_view text, const std::string& file);

/// What one node on the way does with a flow.
struct Step {
    std::string node;
    Ruleset ruleset; ///< of the interface that the flow uses
    Packet packet;
    Decision decision;      ///< `rule` points into `ruleset`, which must not be moved from
    std::string vouched_by; ///< who says that the packet is from its source, if not the key itself
};

/// A flow on its way, node by node, up to the first that drops it.
struct Explanation {
    std::string network;
    IpAddress source;
    IpAddress destination;
    Traffic traffic;
    std::vector<std::unique_ptr<Step>> steps;
    bool allowed = false;
    std::string problem; ///< why there is no way at all
};

/// A policy whose names are looked up in a fleet.
class WGKIT_API FleetPolicy {
  public:
    /// Keeps references: all but `diagnostics` must outlive it. The fleet must have no errors.
    /// Errors (as diagnostics): unknown-name, duplicate-name, group-cycle, host-bits.
    FleetPolicy(const Policy& policy, const mesh::Fleet& fleet, Diagnostics& diagnostics);
    ~FleetPolicy();
    FleetPolicy(FleetPolicy&&) noexcept;

    /// One ruleset for each network that the node is active in.
    /// Errors: not_found.
    Result<std::vector<Ruleset>> compile(std::string_view node) const;
    /// `flow`: "FROM -> TO: PORTS", with one name or address on each side; one explanation for each
    /// family and protocol that it can mean.
    /// Errors: invalid, not_found.
    Result<std::vector<Explanation>> explain(std::string_view flow) const;
    /// Errors (as diagnostics): policy-test for each test that fails.
    void run_tests(Diagnostics& diagnostics) const;

    struct Impl;

  private:
    std::unique_ptr<Impl> impl_;
};

/// Every mistake in the policy of a fleet's inventory, and its tests that fail; nothing if it has
/// none. Names are only looked up in a fleet without errors. `file`: its name in the findings.
WGKIT_API Diagnostics check_policy(const mesh::Fleet& fleet, const std::string& file);

} // namespace wgkit::fw
