// Any `policy:` of a nodes.yaml is read, or refused, and what is read becomes rules for every
// firewall, without crashing and without more than its share of time.
#include "wgkit/policy.hpp"

using namespace wgkit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 16384) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size);
    constexpr mesh::Date today{std::chrono::days(20000)};
    const auto fleet = mesh::load_text(mesh::Paths::beside("nodes.yaml"), text, {}, today);
    const auto parsed = fw::parse_policy(text, "nodes.yaml");
    for (const auto& finding : parsed.diagnostics.all()) (void)to_text(finding, text);
    if (fleet.diagnostics.errors() != 0 || parsed.diagnostics.errors() != 0) return 0;
    Diagnostics found;
    const fw::FleetPolicy policy(parsed.policy, fleet, found);
    if (found.errors() != 0) return 0;
    policy.run_tests(found);
    std::size_t nodes = 0;
    for (const auto& network : fleet.inventory.networks)
        for (const auto& node : network.nodes) {
            if (++nodes > 8) return 0;
            const auto rulesets = policy.compile(node.name.value);
            if (!rulesets) continue;
            for (const auto& ruleset : *rulesets)
                for (const auto backend : {fw::Backend::ufw, fw::Backend::nftables,
                                           fw::Backend::iptables, fw::Backend::firewalld})
                    (void)fw::emit(ruleset, backend);
        }
    return 0;
}
