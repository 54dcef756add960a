#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/arguments.hpp"
#include "common/report.hpp"
#include "fw/policy_file.hpp"
#include "wgkit/firewall_state.hpp"

namespace wgkit::tool::fw {

/// Where rules come from, a node of a policy or options, and the firewall that they are for.
struct RuleSource {
    bool ufw = false;
    bool nftables = false;
    bool iptables = false;
    bool firewalld = false;
    wgkit::fw::LockdownOptions lockdown;
    std::uint32_t port = 51820;
    std::string rules; ///< a file of rulesets
    std::string node;
    std::string nodes = "nodes.yaml";
    std::vector<Option> said; ///< the options that say what is let through

    /// Whether the command line says what rules there should be.
    bool is_given() const;
    std::optional<wgkit::fw::Backend> backend() const;
};

void add_backend_options(Arguments arguments, RuleSource& source);
void add_source_options(Arguments arguments, RuleSource& source);

/// Rulesets and what they point into.
struct LoadedRules {
    std::unique_ptr<LoadedPolicy> policy; ///< null without one
    std::vector<wgkit::fw::Ruleset> rulesets;
};
/// Errors: printed.
std::optional<LoadedRules> load_rules(const RuleSource& source, const Report& report);

} // namespace wgkit::tool::fw
