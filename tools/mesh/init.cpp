#include <fmt/format.h>

#include "commands.hpp"
#include "wgkit/files.hpp"
#include "wgkit/mesh_edit.hpp"

namespace wgkit::tool::mesh {

namespace {

struct InitOptions {
    std::string nodes = "nodes.yaml";
    std::string name = "mesh";
    std::string ipv4 = "10.10.0.0/24";
    std::string ipv6;
    std::vector<std::string> members;
};

int run_init(const InitOptions& options, const Report& report) {
    const auto text =
        wgkit::mesh::initial_inventory(options.name, options.ipv4, options.ipv6, options.members);
    if (!text) return report.error(text.error());
    const auto created = files::create(options.nodes, *text, 0644);
    if (!created) return report.error(created.error());
    fmt::print("{}\n", options.nodes);
    report.note(fmt::format("next: edit {0}, then `wgkit mesh render {0}`", options.nodes));
    return exit_ok;
}

} // namespace

Action init(Arguments app) {
    auto options = std::make_shared<InitOptions>();
    add_nodes_argument(app, options->nodes);
    app.add_option("--name", options->name, "Name of the network")
        .type_name("NAME")
        .shows_default();
    app.add_option("--ipv4", options->ipv4, "IPv4 pool; empty for none")
        .type_name("PREFIX")
        .shows_default();
    app.add_option("--ipv6", options->ipv6, "IPv6 pool").type_name("PREFIX");
    app.add_option("--node", options->members, "A node, with its endpoint if it has one")
        .type_name("NAME[=HOST:PORT]");
    return [options](const Report& report) { return run_init(*options, report); };
}

} // namespace wgkit::tool::mesh
