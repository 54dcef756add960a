// Graph -> SVG. Colours come from a style sheet that follows the reader's light or dark theme; the
// picture brings its own background, so that it is never drawn on the wrong one.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>

#include "mesh/views/graph_layout.hpp"

namespace wgkit::mesh {

namespace {

using std::numbers::pi;
constexpr double node_radius = 8;
constexpr double letter = 7.2; ///< average width of one at 13 px
constexpr double title_height = 64;
constexpr double legend_height = 52;
constexpr double margin = 24;
constexpr std::size_t plain_label_limit = 60; ///< above it labels are names only

constexpr std::string_view style =
    "<style>\n"
    "svg { --bg: #ffffff; --ink: #1c2733; --soft: #5d6b7a; --tunnel: #3b78b5; --spoke: #2a8a5c;\n"
    "  --exit: #c9681a; --relayed: #8a5fc0; --fill: #e8eef5; color-scheme: light dark; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  svg { --bg: #12181f; --ink: #e6edf3; --soft: #93a1b0; --tunnel: #6ea8e0; --spoke: #57c08d;\n"
    "    --exit: #f0a15a; --relayed: #b795e6; --fill: #26323f; } }\n"
    ".bg { fill: var(--bg); }\n"
    "text { font: 13px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: var(--ink); }\n"
    ".halo { paint-order: stroke; stroke: var(--bg); stroke-width: 4px; stroke-linejoin: round; }\n"
    ".title { font-size: 20px; font-weight: 600; }\n"
    ".soft { fill: var(--soft); font-size: 11px; }\n"
    ".name { font-weight: 600; }\n"
    ".edge { fill: none; stroke-width: 1.5; }\n"
    ".tunnel { stroke: var(--tunnel); } .spoke { stroke: var(--spoke); }\n"
    ".exit { stroke: var(--exit); stroke-width: 2.5; }\n"
    ".relayed { stroke: var(--relayed); stroke-dasharray: 5 4; }\n"
    ".node { fill: var(--fill); stroke: var(--ink); stroke-width: 1.5; }\n"
    ".silent { fill: var(--bg); stroke: var(--soft); }\n"
    ".hub { fill: var(--spoke); } .relay { fill: var(--relayed); } .exitnode { fill: var(--exit); "
    "}\n"
    ".tip-tunnel { fill: var(--tunnel); } .tip-spoke { fill: var(--spoke); }\n"
    ".tip-exit { fill: var(--exit); } .tip-relayed { fill: var(--relayed); }\n"
    "</style>\n";

constexpr GraphEdge::Kind kinds[] = {GraphEdge::Kind::tunnel, GraphEdge::Kind::spoke,
                                     GraphEdge::Kind::exit, GraphEdge::Kind::relayed};

std::string xml_escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '<')
            result += "&lt;";
        else if (c == '&')
            result += "&amp;";
        else
            result += c;
    }
    return result;
}

std::string_view class_of(const GraphNode& node) {
    if (node.hub) return "node hub";
    if (node.exit) return "node exitnode";
    if (node.relay) return "node relay";
    return node.callable ? "node" : "node silent";
}

double size_of(const GraphNode& node) {
    const double base = node.hub || node.relay || node.exit ? node_radius + 2 : node_radius;
    return base + 3 * std::log10(static_cast<double>(node.members));
}

/// Name and what is known beside it: one line where labels stand radially, else two.
struct Label {
    std::string name;
    std::string more;
    double width(bool one_line) const {
        const double first = letter * static_cast<double>(name.size()) * 1.08;
        const double second = letter * 0.82 * static_cast<double>(more.size());
        return one_line ? first + second + 8 : std::max(first, second);
    }
};

Label label_of(const GraphNode& node, std::size_t count) {
    Label label{node.name, {}};
    if (node.members > 1) label.more = fmt::format("{} nodes", node.members);
    if (node.links != 0) label.more += fmt::format(", {} links", node.links);
    if (count > plain_label_limit) return label;
    if (!node.addresses.empty()) label.more = to_string(node.addresses.front());
    if (!node.routes.empty())
        label.more +=
            fmt::format("{}+ {}{}", label.more.empty() ? "" : " ", to_string(node.routes.front()),
                        node.routes.size() > 1 ? " ..." : "");
    return label;
}

/// One network's picture, drawn around (0, 0).
class Drawing {
  public:
    explicit Drawing(const Graph& graph) : graph_(graph), layout_(lay_out(graph)) {
        double widest = 0;
        for (const auto& node : graph.nodes) labels_.push_back(label_of(node, graph.nodes.size()));
        for (const auto& label : labels_) widest = std::max(widest, label.width(false));
        // Labels side by side at the top of the circle would run into each other.
        radial_ = graph.nodes.size() > 4 && layout_.step < widest + 14;

        for (std::size_t i = 0; i < graph.nodes.size(); ++i) bound(i);
    }

    double width() const { return std::max(right_ - left_ + 2 * margin, legend_width()); }
    double height() const { return bottom_ - top_ + title_height + legend_height; }

    std::string draw(double x, double y) const {
        std::string text = fmt::format("<g transform=\"translate({:.0f} {:.0f})\">\n", x, y);
        text += fmt::format(
            "<text class=\"title\" x=\"24\" y=\"38\">{}</text>\n"
            "<text class=\"soft\" x=\"24\" y=\"58\">{} nodes, {} links{}</text>\n",
            xml_escaped(graph_.network), graph_.size, graph_.links,
            graph_.aggregated ? ", shown as groups of nodes with the same tags and role" : "");
        text += fmt::format("<g transform=\"translate({:.0f} {:.0f})\">\n",
                            (width() - right_ - left_) / 2, title_height - top_);
        for (const auto& edge : graph_.edges) append_edge(text, edge);
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) append_node(text, i);
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) append_label(text, i);
        text += "</g>\n";
        append_legend(text);
        return text + "</g>\n";
    }

  private:
    void include(double x, double y) {
        left_ = std::min(left_, x);
        right_ = std::max(right_, x);
        top_ = std::min(top_, y);
        bottom_ = std::max(bottom_, y);
    }

    void bound(std::size_t i) {
        const Place& place = layout_.places[i];
        const double away = size_of(graph_.nodes[i]) + 8;
        const double long_side = labels_[i].width(radial_ && !place.inside);
        if (radial_ && !place.inside)
            return include(place.x + std::cos(place.angle) * (away + long_side),
                           place.y + std::sin(place.angle) * (away + long_side));
        const double side = place.inside ? 0 : std::cos(place.angle);
        const double half = std::abs(side) > 0.3 ? long_side + away : long_side / 2;
        include(place.x - half, place.y - away - 24);
        include(place.x + half, place.y + away + 26);
    }

    double legend_width() const {
        std::string unused;
        return append_legend(unused);
    }

    void append_edge(std::string& text, const GraphEdge& edge) const {
        const Place& a = layout_.places[edge.from];
        const Place& b = layout_.places[edge.to];
        const double dx = b.x - a.x;
        const double dy = b.y - a.y;
        const double length = std::max(std::hypot(dx, dy), 1.0);
        const double from = size_of(graph_.nodes[edge.from]) + 1;
        const double to = size_of(graph_.nodes[edge.to]) + (edge.one_way ? 3 : 1);
        // A large mesh as a veil of lines; a few lines as lines.
        const double opacity =
            std::clamp(60.0 / static_cast<double>(graph_.edges.size()), 0.28, 0.9);
        // Bent a little towards the middle, so that it does not hide beside a tunnel.
        const double bend = edge.kind == GraphEdge::Kind::relayed ? 0.12 : 0;
        const double x1 = a.x + dx / length * from;
        const double y1 = a.y + dy / length * from;
        const double x2 = b.x - dx / length * to;
        const double y2 = b.y - dy / length * to;
        text += fmt::format(
            "<path class=\"edge {0}\" opacity=\"{1:.2f}\"{2} d=\"M{3:.1f} {4:.1f}",
            to_string(edge.kind), edge.kind == GraphEdge::Kind::tunnel ? opacity : 0.9,
            edge.one_way ? fmt::format(" marker-end=\"url(#tip-{})\"", to_string(edge.kind)) : "",
            x1, y1);
        if (bend != 0)
            text += fmt::format(" Q{:.1f} {:.1f} {:.1f} {:.1f}", (x1 + x2) / 2 - dy * bend,
                                (y1 + y2) / 2 + dx * bend, x2, y2);
        else
            text += fmt::format(" L{:.1f} {:.1f}", x2, y2);
        text += "\"/>\n";
        if (edge.links > 1)
            text += fmt::format("<text class=\"soft halo\" text-anchor=\"middle\" x=\"{:.1f}\" "
                                "y=\"{:.1f}\">{}</text>\n",
                                (x1 + x2) / 2, (y1 + y2) / 2, edge.links);
    }

    void append_node(std::string& text, std::size_t i) const {
        text += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>\n",
                            class_of(graph_.nodes[i]), layout_.places[i].x, layout_.places[i].y,
                            size_of(graph_.nodes[i]));
    }

    void append_label(std::string& text, std::size_t i) const {
        const Place& place = layout_.places[i];
        const Label& label = labels_[i];
        const double away = size_of(graph_.nodes[i]) + 7;
        if (place.inside || !radial_) return append_upright(text, place, label, away);
        const bool left = std::cos(place.angle) < -0.001;
        const double turn = (place.angle + (left ? pi : 0)) * 180 / pi;
        const std::string name =
            fmt::format("<tspan class=\"name\">{}</tspan>", xml_escaped(label.name));
        const std::string more =
            fmt::format("<tspan class=\"soft\">{}</tspan>", xml_escaped(label.more));
        text += fmt::format("<text class=\"halo\" text-anchor=\"{}\" transform=\"translate({:.1f} "
                            "{:.1f}) rotate({:.1f})\" x=\"{:.1f}\" y=\"4.5\">{}</text>\n",
                            left ? "end" : "start", place.x, place.y, turn, left ? -away : away,
                            label.more.empty() ? name
                            : left             ? more + "  " + name
                                               : name + "  " + more);
    }

    void append_upright(std::string& text, const Place& place, const Label& label,
                        double away) const {
        const double side = place.inside ? 0 : std::cos(place.angle);
        const double up = place.inside ? 1 : std::sin(place.angle);
        const char* anchor = side > 0.3 ? "start" : side < -0.3 ? "end" : "middle";
        double x = place.x;
        double y = place.y;
        if (side > 0.3 || side < -0.3) {
            x += side > 0 ? away : -away;
            y += label.more.empty() ? 4.5 : -1.5;
        } else {
            y += up > 0 ? away + 9 : -away - (label.more.empty() ? 0 : 14);
        }
        text += fmt::format("<text class=\"halo\" text-anchor=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">"
                            "<tspan class=\"name\">{}</tspan>",
                            anchor, x, y, xml_escaped(label.name));
        if (!label.more.empty())
            text += fmt::format("<tspan class=\"soft\" x=\"{:.1f}\" dy=\"14\">{}</tspan>", x,
                                xml_escaped(label.more));
        text += "</text>\n";
    }

    /// Only what the picture has. Returns its width.
    double append_legend(std::string& text) const {
        double x = 24;
        const double y = title_height + bottom_ - top_ + 26;
        const auto write = [&](const std::string& symbol, std::string_view words, double room) {
            text += fmt::format("<g transform=\"translate({:.0f} {:.0f})\">{}<text class=\"soft\" "
                                "x=\"{:.0f}\" y=\"4\">{}</text></g>\n",
                                x, y, symbol, room, words);
            x += room + 6.2 * static_cast<double>(words.size()) + 18;
        };
        const auto dot = [&](std::string_view kind, std::string_view words) {
            write(fmt::format("<circle class=\"node {}\" cx=\"7\" cy=\"0\" r=\"6\"/>", kind), words,
                  20);
        };
        const auto any = [&](auto&& test) {
            return std::any_of(graph_.nodes.begin(), graph_.nodes.end(), test);
        };
        const auto line = [&](std::string_view kind, bool tip, std::string_view words) {
            write(fmt::format("<path class=\"edge {0}\"{1} d=\"M0 0 L24 0\"/>", kind,
                              tip ? fmt::format(" marker-end=\"url(#tip-{})\"", kind) : ""),
                  words, 32);
        };
        constexpr std::string_view words[] = {"tunnel", "hub and spoke", "through an exit",
                                              "relayed"};
        const GraphEdge* arrow = nullptr;
        for (const auto& edge : graph_.edges)
            if (edge.one_way) arrow = &edge;
        for (std::size_t k = 0; k < std::size(kinds); ++k)
            if (std::any_of(graph_.edges.begin(), graph_.edges.end(),
                            [&](const GraphEdge& edge) { return edge.kind == kinds[k]; }))
                line(to_string(kinds[k]), false, words[k]);
        if (arrow != nullptr) line(to_string(arrow->kind), true, "can be called");
        if (any([](const GraphNode& n) { return n.hub; })) dot("hub", "hub");
        if (any([](const GraphNode& n) { return n.exit && !n.hub; })) dot("exitnode", "exit");
        if (any([](const GraphNode& n) { return n.relay && !n.hub && !n.exit; }))
            dot("relay", "relay");
        if (any([](const GraphNode& n) { return !n.callable; })) dot("silent", "no endpoint");
        return x + 10;
    }

    const Graph& graph_;
    Layout layout_;
    std::vector<Label> labels_;
    bool radial_ = false;
    double left_ = -100; ///< of everything that is drawn, labels too
    double right_ = 100;
    double top_ = -40;
    double bottom_ = 40;
};

} // namespace

std::string to_svg(const std::vector<Graph>& graphs) {
    std::vector<Drawing> drawings;
    double width = 420;
    double height = 0;
    for (const auto& graph : graphs) {
        drawings.emplace_back(graph);
        width = std::max(width, drawings.back().width());
        height += drawings.back().height();
    }
    std::string text = fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" "
                                   "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n",
                                   width, height);
    text += style;
    text += "<defs>\n";
    for (const auto kind : kinds)
        text += fmt::format(
            "<marker id=\"tip-{0}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
            "markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
            "<path class=\"tip-{0}\" d=\"M0 0.5 L8 4 L0 7.5 Z\"/></marker>\n",
            to_string(kind));
    text += "</defs>\n<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n";
    double y = 0;
    for (const auto& drawing : drawings) {
        text += drawing.draw((width - drawing.width()) / 2, y);
        y += drawing.height();
    }
    return text + "</svg>\n";
}

} // namespace wgkit::mesh
