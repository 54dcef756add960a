#include "commands.hpp"
#include "common/json.hpp"
#include "wgkit/policy.hpp"

namespace wgkit::tool::mesh {

namespace {

struct CheckOptions {
    std::string nodes = "nodes.yaml";
    bool strict = false;
    bool json = false;
};

int run_check(const CheckOptions& options, const Report& report) {
    const auto fleet =
        wgkit::mesh::load(wgkit::mesh::Paths::beside(options.nodes), wgkit::mesh::today());
    if (!fleet) return report.error(fleet.error());
    Diagnostics found = fleet->diagnostics;
    found.append(fw::check_policy(*fleet, options.nodes));
    found.sort();
    if (options.json)
        print({{"schema", 1}, {"file", options.nodes}, {"diagnostics", tool::to_json(found)}});
    else
        report.findings(found, fleet->source);
    return report.conclude(found, options.strict, options.json);
}

} // namespace

Action check(Arguments app) {
    auto options = std::make_shared<CheckOptions>();
    add_nodes_argument(app, options->nodes);
    app.add_flag("--strict", options->strict, "Exit with 2 if there are warnings");
    app.add_flag("--json", options->json, "Print the findings as JSON");
    return [options](const Report& report) { return run_check(*options, report); };
}

} // namespace wgkit::tool::mesh
