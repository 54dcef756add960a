// Pairs that the topology links and that nothing connects.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "mesh/check/checks.hpp"
#include "mesh/check/node_classes.hpp"
#include "mesh/reach.hpp"

namespace wgkit::mesh {

namespace {

/// Up to so many pairs are listed one by one; of more, every cut-off node once.
constexpr std::size_t most_pairs = 10;

struct ClassPair {
    std::size_t a;
    std::size_t b;
};

class PathCheck {
  public:
    PathCheck(const Plan& plan, Diagnostics& d)
        : plan_(plan), d_(d), reach_(plan.network()), classes_(plan) {}

    void run() {
        for (std::size_t a = 0; a < classes_.size(); ++a)
            for (std::size_t b = a; b < classes_.size(); ++b)
                if (is_cut(a, b)) cut_.push_back({a, b});
        std::erase_if(cut_, [&](const ClassPair& cut) { return blame_relay(cut); });
        std::size_t pairs = 0;
        for (const auto& cut : cut_) pairs += count(cut);
        if (pairs <= most_pairs)
            list_pairs();
        else
            list_nodes();
    }

  private:
    std::size_t size(std::size_t of) const { return classes_.members(of).size(); }
    std::size_t count(const ClassPair& cut) const {
        return cut.a == cut.b ? size(cut.a) * (size(cut.a) - 1) / 2 : size(cut.a) * size(cut.b);
    }

    bool meet(std::size_t a, std::size_t b) {
        const std::pair<std::size_t, std::size_t> kinds =
            std::minmax({classes_.reach(a), classes_.reach(b)});
        const auto [at, is_new] = meets_.try_emplace(kinds, false);
        if (is_new)
            at->second =
                reach_.meet(classes_.members(a).front(), classes_.members(b).front()).has_value();
        return at->second;
    }

    /// Must these be connected, and are they not? All pairs of two classes have one answer.
    bool is_cut(std::size_t a, std::size_t b) {
        NodeIndex one = 0;
        NodeIndex two = 0;
        if (meet(a, b) || !classes_.pair(a, b, one, two)) return false;
        const Path path = plan_.path(one, two);
        // Through a relay or hub a client's other traffic would not reach its exit.
        if (is_exit_of(one, two) || is_exit_of(two, one)) return true;
        return path.rule != nullptr && path.kind == Path::Kind::none;
    }

    bool is_exit_of(NodeIndex client, NodeIndex exit) const {
        const auto& via = plan_.member(client).node->exit_via;
        return via && via->value == plan_.member(exit).node->name.value;
    }

    /// A relay that is off and would connect them is the mistake then, and the only finding.
    bool blame_relay(const ClassPair& cut) {
        const NodeIndex one = classes_.members(cut.a).front();
        const NodeIndex two = classes_.members(cut.b).back();
        for (NodeIndex i = 0; i < plan_.size(); ++i) {
            const Node& relay = *plan_.member(i).node;
            if (!relay.relay || plan_.member(i).active || !reach_.meet(i, one)
                || !reach_.meet(i, two))
                continue;
            auto& found = d_.error(
                "depends-on-inactive", relay.disabled ? relay.marks.disabled : relay.expires->mark,
                fmt::format("the relay {} is off, and nothing else connects all the nodes that "
                            "need it",
                            relay.name.value));
            found.notes.push_back({{},
                                   plan_.member(two).node->name.mark,
                                   fmt::format("for example {} and {}", name(one), name(two))});
            found.hint = "put it back in service, or mark another node with `relay: true`";
            return true;
        }
        return false;
    }

    const std::string& name(NodeIndex node) const { return plan_.member(node).node->name.value; }

    void report(NodeIndex node, NodeIndex other, const std::string& message) {
        const bool exit = is_exit_of(node, other);
        auto& found = d_.error("no-path",
                               exit ? plan_.member(node).node->exit_via->mark
                                    : plan_.member(node).node->name.mark,
                               message);
        found.notes.push_back({{},
                               plan_.member(other).node->name.mark,
                               fmt::format("{} is described here", name(other))});
        found.hint = exit ? "give the exit an endpoint on an underlay that its clients are on"
                          : "give one side an endpoint on an underlay that both are on, or mark a "
                            "node that both reach with `relay: true`";
    }

    void list_pairs() {
        for (const auto& cut : cut_)
            for (const NodeIndex one : classes_.members(cut.a))
                for (const NodeIndex two : classes_.members(cut.b)) {
                    if (cut.a == cut.b && two <= one) continue;
                    const bool swap = is_exit_of(one, two) || (one > two && !is_exit_of(two, one));
                    const NodeIndex from = swap ? one : two;
                    const NodeIndex to = swap ? two : one;
                    report(from, to,
                           fmt::format("{} and {} have no path: they share no underlay on which "
                                       "one of them has an endpoint, and no hub or relay connects "
                                       "them",
                                       name(to), name(from)));
                }
    }

    /// Names the nodes with the most missing paths first and skips those whose other ends are all
    /// named already: one node on a wrong underlay is one finding, not one for each other node.
    void list_nodes() {
        std::vector<std::size_t> missing(classes_.size(), 0); // paths of each node of the class
        std::vector<std::vector<std::size_t>> others(classes_.size());
        for (const auto& [a, b] : cut_) {
            missing[a] += size(b) - (a == b ? 1 : 0);
            others[a].push_back(b);
            if (a == b) continue;
            missing[b] += size(a);
            others[b].push_back(a);
        }
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < missing.size(); ++i)
            if (missing[i] != 0) order.push_back(i);
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t x, std::size_t y) { return missing[x] > missing[y]; });
        std::vector<bool> named(classes_.size(), false);
        for (const auto one : order) {
            if (std::all_of(others[one].begin(), others[one].end(),
                            [&](std::size_t other) { return named[other]; }))
                continue;
            named[one] = true;
            for (const auto node : classes_.members(one))
                list_node(node, missing[one], others[one]);
        }
    }

    void list_node(NodeIndex node, std::size_t missing, const std::vector<std::size_t>& others) {
        NodeIndex example = classes_.members(others.front()).front();
        if (example == node) example = classes_.members(others.front()).back();
        report(node, example,
               fmt::format("{} has no path to {} of the nodes that it is linked with, for example "
                           "{}",
                           name(node), missing, name(example)));
    }

    const Plan& plan_;
    Diagnostics& d_;
    Reach reach_;
    NodeClasses classes_;
    std::map<std::pair<std::size_t, std::size_t>, bool> meets_; // by kinds of reach
    std::vector<ClassPair> cut_;
};

} // namespace

void check_paths(const Plan& plan, Diagnostics& diagnostics) { PathCheck(plan, diagnostics).run(); }

} // namespace wgkit::mesh
