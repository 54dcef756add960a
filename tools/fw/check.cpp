#include <fmt/format.h>

#include <memory>

#include "fw/commands.hpp"
#include "fw/policy_file.hpp"

namespace wgkit::tool::fw {

Action setup_check(Arguments arguments) {
    auto nodes = std::make_shared<std::string>("nodes.yaml");
    arguments.add_option("nodes", *nodes, "The inventory").type_name("FILE").shows_default();
    return [nodes](const Report& report) -> int {
        const auto loaded = load_policy(*nodes, report, true);
        if (!loaded) return exit_failed;
        // Every node's rules can be made, too.
        for (const auto& network : loaded->fleet.inventory.networks)
            for (const auto& node : network.nodes)
                if (const auto made = loaded->policy->compile(node.name.value); !made)
                    return report.error(made.error());
        report.note(fmt::format("{} rules, {} tests passed", loaded->parsed.policy.allow.size(),
                                loaded->parsed.policy.tests.size()));
        return exit_ok;
    };
}

} // namespace wgkit::tool::fw
