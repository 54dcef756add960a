// Graph -> text for people, graphviz and Mermaid.
#include <fmt/format.h>

#include "util/join.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::mesh {

namespace {

constexpr std::size_t text_width = 80;
/// Longer lists are cut: a topology is not an inventory.
constexpr std::size_t shown_names = 40;

void append_names(std::string& text, const std::string& label,
                  const std::vector<std::string>& names) {
    std::string line = fmt::format("  {}:", label);
    const std::size_t shown = names.size() <= shown_names ? names.size() : shown_names / 2;
    for (std::size_t i = 0; i < shown; ++i) {
        const std::string word = names[i] + (i + 1 == names.size() ? "" : ",");
        if (line.size() + 1 + word.size() > text_width) {
            text += line + "\n";
            line = "   ";
        }
        line += " " + word;
    }
    if (shown < names.size()) line += fmt::format(" and {} more", names.size() - shown);
    text += line + "\n";
}

/// For both languages: group names come from tags, which may hold anything.
std::string label_escaped(std::string_view text) {
    std::string result;
    for (const char c : text) result += c == '"' || c == '\\' || c == '<' || c == '>' ? '\'' : c;
    return result;
}

std::string label_of(const GraphNode& node, std::string_view line_break) {
    std::string label = label_escaped(node.name);
    if (node.members > 1) label += fmt::format(" x {}", node.members);
    const auto add = [&](const std::string& line) { label.append(line_break).append(line); };
    for (const auto& address : node.addresses) add(to_string(address));
    for (const auto& route : node.routes) add(to_string(route));
    if (node.links != 0) add(fmt::format("{} links inside", node.links));
    return label;
}

std::string_view dot_style(const GraphEdge& edge) {
    switch (edge.kind) {
    case GraphEdge::Kind::tunnel:
        return "color=\"#3b78b5\"";
    case GraphEdge::Kind::spoke:
        return "color=\"#2e8b57\"";
    case GraphEdge::Kind::exit:
        return "color=\"#d2691e\", penwidth=2";
    case GraphEdge::Kind::relayed:
        return "color=\"#8a63b8\", style=dashed";
    }
    return "";
}

std::string_view mermaid_line(const GraphEdge& edge) {
    switch (edge.kind) {
    case GraphEdge::Kind::exit:
        return edge.one_way ? "==>" : "===";
    case GraphEdge::Kind::relayed:
        return edge.one_way ? "-.->" : "-.-";
    case GraphEdge::Kind::tunnel:
    case GraphEdge::Kind::spoke:
        break;
    }
    return edge.one_way ? "-->" : "---";
}

} // namespace

std::string to_text(const std::vector<Graph>& graphs) {
    std::string text;
    for (const auto& graph : graphs) {
        text +=
            fmt::format("network {}: {} nodes, {} links\n", graph.network, graph.size, graph.links);
        for (const auto& one : graph.statements) append_names(text, one.label, one.names);
    }
    return text;
}

std::string to_dot(const std::vector<Graph>& graphs) {
    std::string text = "digraph wgkit {\n"
                       "  layout=neato; overlap=false; splines=true; outputorder=edgesfirst;\n"
                       "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f4f6f8\", "
                       "fontname=\"sans-serif\", fontsize=10];\n"
                       "  edge [fontname=\"sans-serif\", fontsize=9];\n";
    for (std::size_t k = 0; k < graphs.size(); ++k) {
        const Graph& graph = graphs[k];
        text +=
            fmt::format("  subgraph \"cluster_{}\" {{\n    label=\"{}: {} nodes, {} links{}\";\n",
                        k, label_escaped(graph.network), graph.size, graph.links,
                        graph.aggregated ? ", shown as groups" : "");
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            const GraphNode& node = graph.nodes[i];
            const char* shape = node.hub                  ? ", shape=doubleoctagon"
                                : node.relay || node.exit ? ", shape=octagon"
                                                          : "";
            text +=
                fmt::format("    n{}_{} [label=\"{}\"{}];\n", k, i, label_of(node, "\\n"), shape);
        }
        for (const auto& edge : graph.edges)
            text += fmt::format("    n{0}_{1} -> n{0}_{2} [dir={3}, {4}{5}];\n", k, edge.from,
                                edge.to, edge.one_way ? "forward" : "none", dot_style(edge),
                                edge.links > 1 ? fmt::format(", label=\"{}\"", edge.links) : "");
        text += "  }\n";
    }
    return text + "}\n";
}

std::string to_mermaid(const std::vector<Graph>& graphs) {
    std::string text = "flowchart LR\n";
    for (std::size_t k = 0; k < graphs.size(); ++k) {
        const Graph& graph = graphs[k];
        text += fmt::format("  subgraph g{}[\"{}: {} nodes, {} links{}\"]\n", k,
                            label_escaped(graph.network), graph.size, graph.links,
                            graph.aggregated ? ", shown as groups" : "");
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            const GraphNode& node = graph.nodes[i];
            const bool special = node.hub || node.relay || node.exit;
            text += fmt::format("    n{}_{}{}\"{}\"{}\n", k, i, special ? "{{" : "[",
                                label_of(node, "<br>"), special ? "}}" : "]");
        }
        for (const auto& edge : graph.edges)
            text += fmt::format("    n{0}_{1} {3}{4} n{0}_{2}\n", k, edge.from, edge.to,
                                mermaid_line(edge),
                                edge.links > 1 ? fmt::format("|{}|", edge.links) : "");
        text += "  end\n";
    }
    return text;
}

} // namespace wgkit::mesh
