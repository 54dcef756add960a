#include <fmt/format.h>

#include "commands.hpp"
#include "common/json.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::tool::mesh {

using wgkit::mesh::Graph;

namespace {

struct GraphOptions {
    std::string nodes = "nodes.yaml";
    std::string format = "text";
    bool json = false;
};

Json to_json(const Graph& graph) {
    Json nodes = Json::array();
    for (const auto& node : graph.nodes) {
        Json addresses = Json::array();
        for (const auto& address : node.addresses) addresses.push_back(to_string(address));
        Json routes = Json::array();
        for (const auto& route : node.routes) routes.push_back(to_string(route));
        nodes.push_back({{"name", node.name},
                         {"addresses", addresses},
                         {"routes", routes},
                         {"hub", node.hub},
                         {"relay", node.relay},
                         {"exit", node.exit},
                         {"callable", node.callable},
                         {"members", node.members},
                         {"links", node.links}});
    }
    Json edges = Json::array();
    for (const auto& edge : graph.edges)
        edges.push_back({{"kind", to_string(edge.kind)},
                         {"from", graph.nodes[edge.from].name},
                         {"to", graph.nodes[edge.to].name},
                         {"one_way", edge.one_way},
                         {"links", edge.links}});
    return {{"network", graph.network},       {"size", graph.size}, {"links", graph.links},
            {"aggregated", graph.aggregated}, {"nodes", nodes},     {"edges", edges}};
}

std::string draw(const std::vector<Graph>& graphs, const std::string& format) {
    if (format == "dot") return to_dot(graphs);
    if (format == "mermaid") return to_mermaid(graphs);
    if (format == "svg") return to_svg(graphs);
    return to_text(graphs);
}

int run_graph(const GraphOptions& options, const Report& report) {
    const auto fleet = load(options.nodes, report);
    if (!fleet) return exit_failed;
    const auto graphs = wgkit::mesh::make_graphs(*fleet);
    for (const auto& graph : graphs)
        if (graph.aggregated && (options.json || options.format != "text"))
            report.note(fmt::format("network {} has {} nodes: nodes with the same tags and role "
                                    "are shown as one",
                                    graph.network, graph.size));
    if (options.json) {
        Json list = Json::array();
        for (const auto& graph : graphs) list.push_back(to_json(graph));
        print({{"schema", 1}, {"graphs", list}});
    } else {
        std::fputs(draw(graphs, options.format).c_str(), stdout);
    }
    return exit_ok;
}

} // namespace

Action graph(Arguments app) {
    auto options = std::make_shared<GraphOptions>();
    add_nodes_argument(app, options->nodes);
    const std::vector<std::string> formats = {"text", "dot", "mermaid", "svg"};
    app.add_option("--format", options->format, "What to print the topology as")
        .choices(formats)
        .type_name("FORMAT")
        .shows_default();
    app.add_flag("--json", options->json, "Print nodes and edges as JSON");
    return [options](const Report& report) { return run_graph(*options, report); };
}

} // namespace wgkit::tool::mesh
