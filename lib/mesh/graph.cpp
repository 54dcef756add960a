// Plan -> Graph: what every drawing starts from.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "mesh/links.hpp"
#include "mesh/reach.hpp"
#include "util/join.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::mesh {

namespace {

std::vector<bool> active_of(const Plan& plan) {
    std::vector<bool> active;
    for (NodeIndex i = 0; i < plan.size(); ++i) active.push_back(plan.member(i).active);
    return active;
}

class Builder {
  public:
    explicit Builder(const Plan& plan)
        : plan_(plan), links_(plan.network(), active_of(plan)), reach_(plan.network()),
          place_(plan.size()), hub_(plan.size()), exit_(plan.size()) {}

    Graph build() {
        graph_.network = plan_.network().name.value;
        for (NodeIndex i = 0; i < plan_.size(); ++i) {
            graph_.size += plan_.member(i).active ? 1 : 0;
            if (const auto hub = links_.hub_of(i)) hub_[*hub] = true;
            if (const auto exit = exit_of(i)) exit_[*exit] = true;
        }
        for (const auto& rule : links_.rules())
            if (rule.rule->kind == TopologyRule::Kind::hub)
                for (const auto hub : rule.first) hub_[hub] = true;
        graph_.aggregated = graph_.size > graph_limit;
        place_nodes();
        connect();
        say();
        return std::move(graph_);
    }

  private:
    const Node& node(NodeIndex i) const { return *plan_.member(i).node; }
    const std::string& name(NodeIndex i) const { return node(i).name.value; }

    std::optional<NodeIndex> exit_of(NodeIndex i) const {
        if (!node(i).exit_via || !plan_.member(i).active) return std::nullopt;
        const auto exit = plan_.find(node(i).exit_via->value);
        return exit && plan_.member(*exit).active ? exit : std::nullopt;
    }

    /// Nodes of one part in a large fleet: same tags, same role.
    std::string part_of(NodeIndex i) const {
        std::string tags;
        for (const auto& tag : node(i).tags) tags += (tags.empty() ? "" : ", ") + tag.value;
        std::string part = tags.empty() ? "nodes" : tags;
        if (hub_[i]) part += " (hubs)";
        if (node(i).relay) part += " (relays)";
        if (node(i).exit || exit_[i]) part += " (exits)";
        if (!node(i).routes.empty()) part += " (with routes)";
        return part;
    }

    void place_nodes() {
        std::map<std::string, std::uint32_t> parts;
        for (NodeIndex i = 0; i < plan_.size(); ++i) {
            const Member& member = plan_.member(i);
            if (!member.active) continue;
            const auto next = static_cast<std::uint32_t>(graph_.nodes.size());
            if (graph_.aggregated) {
                const auto [at, is_new] = parts.emplace(part_of(i), next);
                place_[i] = at->second;
                if (!is_new) {
                    ++graph_.nodes[at->second].members;
                    continue;
                }
            } else {
                place_[i] = next;
            }
            GraphNode one;
            one.name = graph_.aggregated ? part_of(i) : name(i);
            one.hub = hub_[i];
            one.relay = node(i).relay;
            one.exit = node(i).exit || exit_[i];
            one.callable = node(i).endpoint() != nullptr;
            if (!graph_.aggregated) {
                for (const auto& address : member.addresses)
                    one.addresses.push_back(address.address);
                one.routes = member.routes;
            }
            graph_.nodes.push_back(std::move(one));
        }
    }

    GraphEdge::Kind kind_of(NodeIndex i, NodeIndex j) const {
        if (exit_of(i) == j || exit_of(j) == i) return GraphEdge::Kind::exit;
        if (links_.hub_of(i) == j || links_.hub_of(j) == i) return GraphEdge::Kind::spoke;
        const auto* rule = links_.linking(i, j);
        return rule != nullptr && rule->kind == TopologyRule::Kind::hub && hub_[i] != hub_[j]
                   ? GraphEdge::Kind::spoke
                   : GraphEdge::Kind::tunnel;
    }

    void connect() {
        using Key = std::tuple<std::uint32_t, std::uint32_t, GraphEdge::Kind, bool>;
        std::map<Key, std::size_t> edges;
        const auto add = [&](NodeIndex i, NodeIndex j, GraphEdge::Kind kind, bool one_way) {
            if (place_[i] == place_[j] && graph_.aggregated) {
                ++graph_.nodes[place_[i]].links;
                return;
            }
            auto a = place_[i];
            auto b = place_[j];
            if (!one_way && b < a) std::swap(a, b);
            ++edges[{a, b, kind, one_way}];
        };
        std::vector<std::uint8_t> marks(plan_.size());
        for (NodeIndex i = 0; i < plan_.size(); ++i) {
            if (!plan_.member(i).active) continue;
            for (const auto& peer : plan_.peers(i)) {
                const NodeIndex j = peer.node;
                if (j < i) continue;
                ++graph_.links;
                const auto meeting = reach_.meet(i, j);
                const bool to_call = meeting && meeting->second != nullptr;
                const bool from_call = meeting && meeting->first != nullptr;
                if (to_call == from_call)
                    add(i, j, kind_of(i, j), false);
                else if (to_call)
                    add(i, j, kind_of(i, j), true);
                else
                    add(j, i, kind_of(i, j), true);
            }
            std::fill(marks.begin(), marks.end(), std::uint8_t{0});
            links_.mark(i, marks);
            for (NodeIndex j = i + 1; j < plan_.size(); ++j) {
                if (marks[j] == 0 || reach_.meet(i, j)) continue;
                const Path path = plan_.path(i, j);
                if (path.kind == Path::Kind::relay) {
                    add(i, j, GraphEdge::Kind::relayed, false);
                    relayed_[path.via].push_back(fmt::format("{} - {}", name(i), name(j)));
                } else if (path.kind == Path::Kind::none) {
                    pathless_.push_back(fmt::format("{} - {}", name(i), name(j)));
                }
            }
        }
        for (const auto& edge : edges) {
            const auto& [from, to, kind, one_way] = edge.first;
            graph_.edges.push_back({kind, from, to, one_way, edge.second});
        }
    }

    std::vector<std::string> names(const std::vector<NodeIndex>& list) const {
        std::vector<std::string> result;
        for (const auto i : list) result.push_back(name(i));
        return result;
    }

    void state(std::string label, std::vector<std::string> list) {
        if (!list.empty()) graph_.statements.push_back({std::move(label), std::move(list)});
    }

    void say() {
        for (const auto& resolved : links_.rules()) {
            switch (resolved.rule->kind) {
            case TopologyRule::Kind::mesh:
                if (resolved.first.size() > 1)
                    state(fmt::format("full mesh of {}", resolved.first.size()),
                          names(resolved.first));
                break;
            case TopologyRule::Kind::hub: {
                const auto hubs = names(resolved.first);
                std::string label = hubs.size() > 1 ? "hubs " : "hub ";
                for (const auto& hub : hubs) label += (&hub == &hubs.front() ? "" : ", ") + hub;
                if (!hubs.empty()) state(label + ", spokes", names(resolved.second));
                break;
            }
            case TopologyRule::Kind::sites:
                state(fmt::format("sites, {} nodes", resolved.first.size()), names(resolved.first));
                break;
            case TopologyRule::Kind::links: {
                std::vector<std::string> pairs;
                const auto& ends = resolved.rule->first;
                for (std::size_t k = 0; k + 1 < ends.size(); k += 2)
                    pairs.push_back(fmt::format("{} - {}", ends[k].value, ends[k + 1].value));
                state("links", std::move(pairs));
                break;
            }
            }
        }
        for (auto& [relay, pairs] : relayed_)
            state(fmt::format("relayed by {}", name(relay)), std::move(pairs));
        std::map<NodeIndex, std::vector<std::string>> clients;
        std::vector<std::string> unlinked;
        std::vector<std::string> off;
        std::vector<std::string> silent;
        std::vector<bool> has_link(graph_.nodes.size());
        for (const auto& edge : graph_.edges) has_link[edge.from] = has_link[edge.to] = true;
        for (NodeIndex i = 0; i < plan_.size(); ++i) {
            if (!plan_.member(i).active) {
                off.push_back(name(i));
                continue;
            }
            if (const auto exit = exit_of(i)) clients[*exit].push_back(name(i));
            if (node(i).endpoint() == nullptr) silent.push_back(name(i));
            if (!graph_.aggregated && !has_link[place_[i]]) unlinked.push_back(name(i));
        }
        for (auto& [exit, list] : clients)
            state(fmt::format("exit {}, clients", name(exit)), std::move(list));
        for (NodeIndex i = 0; i < plan_.size(); ++i) {
            std::vector<std::string> subnets;
            for (const auto& route : plan_.member(i).routes) subnets.push_back(to_string(route));
            if (plan_.member(i).active)
                state(fmt::format("behind {}", name(i)), std::move(subnets));
        }
        state("cannot be called", std::move(silent));
        state("no path", std::move(pathless_));
        state("not linked", std::move(unlinked));
        state("disabled or expired", std::move(off));
    }

    const Plan& plan_;
    Links links_;
    Reach reach_;
    std::vector<std::uint32_t> place_; ///< index into Graph::nodes, by node
    std::vector<bool> hub_;
    std::vector<bool> exit_;
    std::map<NodeIndex, std::vector<std::string>> relayed_;
    std::vector<std::string> pathless_;
    Graph graph_;
};

} // namespace

std::vector<Graph> make_graphs(const Fleet& fleet) {
    std::vector<Graph> graphs;
    for (const auto& plan : fleet.plans) graphs.push_back(Builder(plan).build());
    return graphs;
}

std::string_view to_string(GraphEdge::Kind kind) {
    switch (kind) {
    case GraphEdge::Kind::tunnel:
        return "tunnel";
    case GraphEdge::Kind::spoke:
        return "spoke";
    case GraphEdge::Kind::exit:
        return "exit";
    case GraphEdge::Kind::relayed:
        return "relayed";
    }
    return "";
}

} // namespace wgkit::mesh
