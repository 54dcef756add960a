#include <fmt/format.h>

#include "commands.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::tool::mesh {

namespace {

struct RenameOptions {
    std::string from;
    std::string to;
    std::string nodes = "nodes.yaml";
};

int run_rename(const RenameOptions& options, const Report& report) {
    auto fleet = load(options.nodes, report);
    if (!fleet) return exit_failed;
    const auto renamed = wgkit::mesh::rename_node(*fleet, options.from, options.to);
    if (!renamed) return report.error(renamed.error());
    fmt::print("{} is now {}; addresses and key stay\n", options.from, options.to);
    return exit_ok;
}

} // namespace

Action rename(Arguments app) {
    auto options = std::make_shared<RenameOptions>();
    app.add_option("from", options->from, "The node").type_name("NODE").required();
    app.add_option("to", options->to, "Its new name").type_name("NAME").required();
    add_nodes_argument(app, options->nodes);
    return [options](const Report& report) { return run_rename(*options, report); };
}

} // namespace wgkit::tool::mesh
