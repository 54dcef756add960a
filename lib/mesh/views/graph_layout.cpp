#include "mesh/views/graph_layout.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace wgkit::mesh {

namespace {

using std::numbers::pi;
constexpr double least_step = 30; ///< between neighbours on a circle, so that labels have room

/// The node that each leaf hangs on; nothing for those of the core.
std::vector<std::optional<std::uint32_t>> parents_of(const Graph& graph) {
    std::vector<std::size_t> degree(graph.nodes.size());
    for (const auto& edge : graph.edges) {
        if (edge.kind == GraphEdge::Kind::relayed) continue;
        ++degree[edge.from];
        ++degree[edge.to];
    }
    std::vector<std::optional<std::uint32_t>> parent(graph.nodes.size());
    const auto hang = [&](std::uint32_t leaf, std::uint32_t on) {
        const bool special = graph.nodes[leaf].hub || graph.nodes[leaf].relay;
        if (!special && !parent[leaf] && degree[on] > degree[leaf]) parent[leaf] = on;
    };
    for (const auto& edge : graph.edges)
        if (edge.kind == GraphEdge::Kind::spoke || edge.kind == GraphEdge::Kind::exit) {
            hang(edge.from, edge.to);
            hang(edge.to, edge.from);
        }
    for (const auto& edge : graph.edges) {
        if (edge.kind == GraphEdge::Kind::relayed) continue;
        if (degree[edge.from] == 1) hang(edge.from, edge.to);
        if (degree[edge.to] == 1) hang(edge.to, edge.from);
    }
    for (auto& one : parent) // leaves hang on the core, not on each other
        while (one && parent[*one]) one = parent[*one];
    return parent;
}

} // namespace

Layout lay_out(const Graph& graph) {
    const auto parent = parents_of(graph);
    std::vector<std::uint32_t> core;
    std::vector<std::vector<std::uint32_t>> leaves(graph.nodes.size());
    std::size_t leaf_count = 0;
    for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
        if (parent[i]) {
            leaves[*parent[i]].push_back(i);
            ++leaf_count;
        } else {
            core.push_back(i);
        }
    }
    Layout layout;
    layout.places.resize(graph.nodes.size());
    const bool rings = leaf_count != 0;
    // Each member of the core gets a sector as wide as its leaves need, and room for itself on the
    // smaller inner circle.
    const double core_share =
        rings ? std::clamp(static_cast<double>(core.size()) / 4, 1.0, 3.0) : 1;
    const double total =
        static_cast<double>(leaf_count) + core_share * static_cast<double>(core.size());
    const double least = std::max(150.0, total * least_step / (2 * pi));
    layout.radius = rings ? std::max(230.0, least) : least;
    layout.step = 2 * pi * layout.radius / std::max(total, 1.0);
    const double inner = rings ? layout.radius * 0.6 : layout.radius;
    const auto set = [&](std::uint32_t i, double radius, double angle, bool inside) {
        layout.places[i] = {radius * std::cos(angle), radius * std::sin(angle), angle, inside};
    };
    // The first sector is centred at the top.
    double at = -pi / 2;
    if (!core.empty())
        at -= pi * (core_share + static_cast<double>(leaves[core.front()].size())) / total;
    for (const auto i : core) {
        const double share = core_share + static_cast<double>(leaves[i].size());
        const double sector = 2 * pi * share / total;
        set(i, core.size() == 1 ? 0 : inner, at + sector / 2,
            !leaves[i].empty() || core.size() == 1);
        for (std::size_t k = 0; k < leaves[i].size(); ++k)
            set(leaves[i][k], layout.radius,
                at + sector * (core_share / 2 + static_cast<double>(k) + 0.5) / share, false);
        at += sector;
    }
    return layout;
}

} // namespace wgkit::mesh
