// Subnets behind nodes: claimed twice, or overlapping so that a more specific one wins unseen.
#include <fmt/format.h>

#include "mesh/check/checks.hpp"
#include "mesh/check/prefix_trie.hpp"

namespace wgkit::mesh {

namespace {

struct Claim {
    const Node* node;
    const Located<Prefix>* route;
};

using Claims = PrefixTrie<Claim>;

void add_claim(const Claim& claim, Claims& claims, Diagnostics& d) {
    const Prefix& route = claim.route->value; // no binding: clang 14 cannot capture one
    const Mark mark = claim.route->mark;
    const Claim* first = claims.insert(route.masked(), claim);
    if (first == nullptr || first->route->mark == mark) return;
    const auto& name = claim.node->name.value;
    const auto& other = first->node->name.value;
    auto& found = d.error(
        "duplicate-route", mark,
        name == other ? fmt::format("{} lists {} twice", name, to_string(route))
                      : fmt::format("{} and {} both claim {}", other, name, to_string(route)));
    found.notes.push_back({{}, first->route->mark, fmt::format("{} claims it here", other)});
    found.hint = "a subnet can be behind one node only: the last peer that lists it would get all "
                 "of its traffic";
}

/// At most one finding a route: about a pool, else about the closest route around it.
void check_overlap(const Claim& claim, const Network& network, const Claims& claims,
                   Diagnostics& d) {
    const Prefix& route = claim.route->value; // no binding: clang 14 cannot capture one
    const Mark mark = claim.route->mark;
    const auto warn = [&](const std::string& what, Mark other, std::string note) -> Diagnostic& {
        auto& found = d.warning(
            "overlapping-allowed-ips", mark,
            fmt::format("{} behind {} {}", to_string(route), claim.node->name.value, what));
        found.notes.push_back({{}, other, std::move(note)});
        return found;
    };
    for (const auto* pool : {&network.ipv4, &network.ipv6}) {
        if (!*pool) continue;
        const auto& [range, pool_mark] = **pool;
        if (!range.contains(route) && !route.contains(range)) continue;
        auto& found = warn(fmt::format("overlaps the pool {}", to_string(range)), pool_mark,
                           "the pool is here");
        found.hint = route.length == 0
                         ? "to send all traffic of some nodes through this one use `exit` and "
                           "`exit_via`"
                         : "the more specific prefix wins; keep the pool for addresses of nodes";
        return;
    }
    const Claim* around = claims.covering(route, [&](const Claim& other) {
        return other.node->name.value != claim.node->name.value;
    });
    if (around == nullptr) return;
    warn(fmt::format("lies within {} behind {}", to_string(around->route->value),
                     around->node->name.value),
         around->route->mark, fmt::format("{} claims it here", around->node->name.value))
        .hint = "the more specific prefix wins; split the larger one if that is not meant";
}

} // namespace

void check_routes(const Network& network, Date today, Diagnostics& diagnostics) {
    Claims claims;
    for (const auto& node : network.nodes)
        if (is_active(node, today))
            for (const auto& route : node.routes) add_claim({&node, &route}, claims, diagnostics);
    for (const auto& node : network.nodes)
        if (is_active(node, today))
            for (const auto& route : node.routes)
                check_overlap({&node, &route}, network, claims, diagnostics);
}

} // namespace wgkit::mesh
