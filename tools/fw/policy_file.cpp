#include "fw/policy_file.hpp"

#include <fmt/format.h>

namespace wgkit::tool::fw {

std::unique_ptr<LoadedPolicy> load_policy(const std::string& nodes, const Report& report,
                                          bool warnings) {
    auto fleet = mesh::load(mesh::Paths::beside(nodes), mesh::today());
    if (!fleet) {
        report.error(fleet.error());
        return nullptr;
    }
    auto loaded = std::make_unique<LoadedPolicy>();
    loaded->fleet = *std::move(fleet);
    loaded->parsed = wgkit::fw::parse_policy(loaded->fleet.source, nodes);
    Diagnostics found = loaded->fleet.diagnostics;
    if (found.errors() == 0) found.append(loaded->parsed.diagnostics);
    if (found.errors() == 0 && !loaded->parsed.policy.is_set)
        found.error("missing-field", {1, 1}, "the inventory has no policy").hint =
            "add `policy:`, see wgkit-policy(5)";
    if (found.errors() == 0) {
        loaded->policy =
            std::make_unique<wgkit::fw::FleetPolicy>(loaded->parsed.policy, loaded->fleet, found);
        if (found.errors() == 0) loaded->policy->run_tests(found);
    }
    found.sort();
    if (warnings || found.errors() != 0) report.findings(found, loaded->fleet.source);
    return found.errors() == 0 ? std::move(loaded) : nullptr;
}

} // namespace wgkit::tool::fw
