#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "wgkit/monitor_fleet.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::monitor {

namespace {

/// A tunnel between two hosts, as one or both of them see it.
struct Edge {
    std::size_t a = 0, b = 0; ///< a < b
    PairEnd at_a, at_b;
    Level level = Level::ok; ///< the worse of the two ends
    milliseconds since{};    ///< of the end that says so first
    bool open = true;        ///< not yet explained
};

class Fleet {
  public:
    explicit Fleet(std::span<const FleetHost> hosts) : hosts_(hosts), edges_of_(hosts.size()) {
        for (std::size_t i = 0; i < hosts.size(); ++i)
            for (const auto& key : hosts[i].keys) owner_.emplace(key, i);
        for (std::size_t i = 0; i < hosts.size(); ++i)
            if (hosts[i].state) add_edges(i);
        for (std::size_t e = 0; e < edges_.size(); ++e) {
            edges_of_[edges_[e].a].push_back(e);
            edges_of_[edges_[e].b].push_back(e);
        }
    }

    std::vector<FleetCause> causes() {
        std::vector<FleetCause> list;
        std::vector<bool> dead(hosts_.size());
        while (const auto node = worst_node()) {
            dead[*node] = true;
            list.push_back(down(*node));
        }
        for (std::size_t i = 0; i < hosts_.size(); ++i) {
            if (!dead[i])
                list.push_back({"node:" + hosts_[i].name,
                                "node_down",
                                hosts_[i].name,
                                Level::ok,
                                hosts_[i].name + " is there",
                                {}});
            if (!hosts_[i].asked || dead[i]) continue;
            const bool seen = hosts_[i].state.has_value();
            list.push_back(
                {"unseen:" + hosts_[i].name,
                 "unseen",
                 hosts_[i].name,
                 seen ? Level::ok : Level::unknown,
                 seen ? hosts_[i].name + " answers"
                      : fmt::format("{} cannot be asked: {}", hosts_[i].name, hosts_[i].problem),
                 {}});
        }
        for (const auto& edge : edges_)
            if (edge.open) list.push_back(pair(edge));
        std::stable_sort(list.begin(), list.end(), [](const FleetCause& x, const FleetCause& y) {
            return x.level != y.level && worse(x.level, y.level) == x.level;
        });
        return list;
    }

  private:
    void add_edges(std::size_t host) {
        for (const auto& device : hosts_[host].state->devices)
            for (const auto& peer : device.peers) {
                const auto other = owner_.find(peer.key);
                if (other == owner_.end() || other->second == host) continue;
                if (!is_present(*hosts_[host].state, peer)) continue;
                Edge& edge = edge_of(host, other->second);
                PairEnd& end = edge.a == host ? edge.at_a : edge.at_b;
                end = {hosts_[host].name, &device, &peer};
                edge.level = worse(edge.level, peer.level);
                const milliseconds since = wall_of(*hosts_[host].state, peer.since);
                if (edge.since == milliseconds{} || since < edge.since) edge.since = since;
            }
    }

    Edge& edge_of(std::size_t x, std::size_t y) {
        const auto ends = std::minmax(x, y);
        const auto [at, is_new] = index_.emplace(ends, edges_.size());
        if (is_new) {
            Edge& edge = edges_.emplace_back();
            edge.a = ends.first;
            edge.b = ends.second;
        }
        return edges_[at->second];
    }

    /// The node that explains most: all of its tunnels are dead, and more than one is, or it does
    /// not answer either. One that answers and has a single tunnel may as well be the other's.
    std::optional<std::size_t> worst_node() const {
        std::optional<std::size_t> worst;
        std::size_t most = 0;
        for (std::size_t i = 0; i < hosts_.size(); ++i) {
            std::size_t bad = 0, well = 0;
            for (const std::size_t e : edges_of_[i]) {
                const bool is_bad = edges_[e].level == Level::critical;
                if (is_bad && edges_[e].open) ++bad;
                if (!is_bad) ++well;
            }
            const bool is_silent = hosts_[i].asked && !hosts_[i].state;
            if (well == 0 && bad > most && (bad > 1 || is_silent)) {
                worst = i;
                most = bad;
            }
        }
        return worst;
    }

    FleetCause down(std::size_t node) {
        FleetCause cause{"node:" + hosts_[node].name,
                         "node_down",
                         hosts_[node].name,
                         Level::critical,
                         {},
                         {},
                         {}};
        std::size_t count = 0;
        for (const std::size_t e : edges_of_[node]) {
            Edge& edge = edges_[e];
            if (!edge.open) continue;
            edge.open = false;
            if (count++ == 0 || edge.since < cause.since) cause.since = edge.since;
            const std::size_t other = edge.a == node ? edge.b : edge.a;
            const PairEnd& seen = edge.a == node ? edge.at_b : edge.at_a;
            cause.details.push_back(
                fmt::format("{}: {}", hosts_[other].name,
                            seen.peer == nullptr ? "not seen" : to_string(seen.peer->verdict)));
        }
        cause.text =
            fmt::format("{} is down: {} peer{}", hosts_[node].name, count, count == 1 ? "" : "s");
        if (hosts_[node].state) cause.text += ", though it answers";
        return cause;
    }

    FleetCause pair(const Edge& edge) const {
        const FleetHost &a = hosts_[edge.a], &b = hosts_[edge.b];
        FleetCause cause{fmt::format("pair:{}:{}", a.name, b.name),
                         "pair",
                         a.name,
                         edge.level,
                         {},
                         {},
                         edge.since};
        if (a.state && b.state) {
            PairEnd x = edge.at_a, y = edge.at_b;
            x.name = a.name;
            y.name = b.name;
            const PairJudgement judged = judge_pair(x, y);
            cause.text = judged.text;
            // Keys that cannot fit are trouble before anybody notices.
            const bool is_sure =
                judged.verdict == PairVerdict::keys || judged.verdict == PairVerdict::psk;
            if (is_sure) cause.level = worse(cause.level, Level::warning);
        } else {
            const PairEnd& seen = edge.at_a.peer != nullptr ? edge.at_a : edge.at_b;
            cause.text = fmt::format("{} says of {}: {}", seen.name,
                                     edge.at_a.peer != nullptr ? b.name : a.name,
                                     to_string(seen.peer->verdict));
        }
        for (const PairEnd* end : {&edge.at_a, &edge.at_b})
            if (end->peer != nullptr)
                cause.details.push_back(
                    fmt::format("{}: {}", end->name, to_string(end->peer->verdict)));
        return cause;
    }

    std::span<const FleetHost> hosts_;
    std::unordered_map<PublicKey, std::size_t> owner_;
    std::vector<Edge> edges_;
    std::map<std::pair<std::size_t, std::size_t>, std::size_t> index_;
    std::vector<std::vector<std::size_t>> edges_of_;
};

} // namespace

std::vector<FleetCause> judge_fleet(std::span<const FleetHost> hosts) {
    return Fleet(hosts).causes();
}

} // namespace wgkit::monitor
