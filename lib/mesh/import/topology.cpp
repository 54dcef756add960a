// Peers -> topology. Several guesses are planned like any inventory, and the one whose peers come
// closest to those of the files wins; what it gets wrong becomes `peers:` of the node.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mesh/check/check.hpp"
#include "mesh/import/draft.hpp"
#include "util/yaml.hpp"
#include "wgkit/inventory.hpp"
#include "wgkit/plan.hpp"

namespace wgkit::mesh {

namespace {

using Pair = std::pair<std::size_t, std::size_t>;
using Pairs = std::set<Pair>;

Pair sorted(std::size_t a, std::size_t b) { return {std::min(a, b), std::max(a, b)}; }

/// An inventory made from a draft, planned.
struct Planned {
    ParsedInventory parsed;
    LockedNetwork lock;
    std::optional<Plan> plan;

    Planned(const Draft& draft, bool with_special)
        : parsed(parse_inventory(write_draft({draft}, with_special), "import")) {
        if (parsed.diagnostics.errors() != 0) return;
        Diagnostics unused;
        const Network& network = parsed.inventory.networks.front();
        lock = reconcile(network, {}, Date{}, unused);
        plan.emplace(network, lock, Date{});
    }
};

/// Calls `same(node, planned, actual)` for peers that both have, `lost` and `extra` for others.
template <class Same, class Lost, class Extra>
void compare(const Draft& draft, const Plan& plan, Same&& same, Lost&& lost, Extra&& extra) {
    for (NodeIndex i = 0; i < draft.nodes.size(); ++i) {
        const DraftNode& node = draft.nodes[i];
        if (!node.has_file) continue;
        const auto planned = plan.peers(i);
        std::vector<const Peer*> by_node(draft.nodes.size());
        for (const auto& peer : planned) by_node[peer.node] = &peer;
        for (const auto& actual : node.peers) {
            if (by_node[actual.node] == nullptr)
                lost(i, actual);
            else
                same(i, *by_node[actual.node], actual);
            by_node[actual.node] = nullptr;
        }
        for (const auto* peer : by_node)
            if (peer != nullptr) extra(i, *peer);
    }
}

std::size_t cost_of(const Draft& draft) {
    const Planned planned(draft, false);
    constexpr std::size_t wrong_peer = 1'000'000; // any number of corrections is better
    if (!planned.plan) return SIZE_MAX;
    std::size_t cost = 0;
    compare(
        draft, *planned.plan,
        [&](NodeIndex, const Peer& peer, const DraftPeer& actual) {
            cost += peer.allowed_ips() == actual.allowed_ips ? 0 : 1;
        },
        [&](NodeIndex, const DraftPeer&) { cost += wrong_peer; },
        [&](NodeIndex, const Peer&) { cost += wrong_peer; });
    if (cost >= wrong_peer) return cost;
    // Links without a path give no peer, but the inventory would be refused for them.
    Diagnostics findings;
    check_plan(*planned.plan, findings);
    return cost + findings.errors() * wrong_peer;
}

Pairs pairs_of(const Draft& draft) {
    Pairs pairs;
    for (std::size_t i = 0; i < draft.nodes.size(); ++i)
        for (const auto& peer : draft.nodes[i].peers) pairs.insert(sorted(i, peer.node));
    return pairs;
}

std::string names_of(const Draft& draft, const std::set<std::size_t>& nodes) {
    std::string text = "[";
    for (const auto i : nodes)
        text += (text.size() > 1 ? ", " : "") + yaml::quote(draft.nodes[i].name);
    return text + "]";
}

std::string links_rule(const Draft& draft, const Pairs& pairs) {
    std::string text = "{links: [";
    for (const auto& [a, b] : pairs)
        text += fmt::format("{}[{}, {}]", text.ends_with('[') ? "" : ", ",
                            yaml::quote(draft.nodes[a].name), yaml::quote(draft.nodes[b].name));
    return text + "]}";
}

/// Spokes of each node that somebody sends the whole pool to.
std::map<std::size_t, std::set<std::size_t>> pool_hubs(const Draft& draft) {
    std::map<std::size_t, std::set<std::size_t>> hubs;
    for (std::size_t i = 0; i < draft.nodes.size(); ++i)
        for (const auto& peer : draft.nodes[i].peers)
            for (const auto& prefix : peer.allowed_ips)
                if (prefix == draft.ipv4 || prefix == draft.ipv6) hubs[peer.node].insert(i);
    return hubs;
}

/// Rules for the pairs that are left: one mesh if they are one, else links.
std::string rules_for(const Draft& draft, const Pairs& pairs) {
    std::set<std::size_t> nodes;
    for (const auto& [a, b] : pairs) {
        nodes.insert(a);
        nodes.insert(b);
    }
    if (nodes.size() > 2 && pairs.size() == nodes.size() * (nodes.size() - 1) / 2)
        return fmt::format("{{mesh: {}}}", names_of(draft, nodes));
    return links_rule(draft, pairs);
}

std::vector<std::string> candidates(const Draft& draft) {
    const Pairs pairs = pairs_of(draft);
    std::vector<std::string> list{""};
    const auto hubs = pool_hubs(draft);
    const std::size_t count = draft.nodes.size();
    std::vector<std::size_t> degree(count);
    for (const auto& [a, b] : pairs) {
        ++degree[a];
        ++degree[b];
    }
    for (const auto& hub : hubs) { // the pool's hub first, then those that everybody is linked with
        std::string names = yaml::quote(draft.nodes[hub.first].name);
        list.push_back(fmt::format("[{{hub: [{}], spokes: all}}]", names));
        for (std::size_t i = 0; i < count; ++i)
            if (i != hub.first && degree[i] + 1 == count)
                names += ", " + yaml::quote(draft.nodes[i].name);
        list.push_back(fmt::format("[{{hub: [{}], spokes: all}}]", names));
    }
    if (std::any_of(draft.nodes.begin(), draft.nodes.end(),
                    [](const DraftNode& node) { return !node.routes.empty(); }))
        list.emplace_back("site-to-site");
    for (const bool exits_too : {false, true}) {
        Pairs rest = pairs;
        std::string rules;
        const auto add = [&](const std::string& rule) {
            rules += (rules.empty() ? "" : ", ") + rule;
        };
        for (const auto& [hub, spokes] : hubs) {
            add(fmt::format("{{hub: [{}], spokes: {}}}", yaml::quote(draft.nodes[hub].name),
                            names_of(draft, spokes)));
            for (const auto spoke : spokes) rest.erase(sorted(hub, spoke));
        }
        for (std::size_t i = 0; i < count && !exits_too; ++i)
            for (std::size_t j = 0; j < count; ++j)
                if (draft.nodes[j].name == draft.nodes[i].exit_via) rest.erase(sorted(i, j));
        if (!rest.empty()) {
            const std::string before = rules;
            add(rules_for(draft, rest));
            list.push_back(fmt::format("[{}]", rules));
            rules = before;
            add(links_rule(draft, rest));
        }
        list.push_back(fmt::format("[{}]", rules));
    }
    list.push_back(fmt::format("[{}]", links_rule(draft, pairs)));
    return list;
}

void choose_keepalives(Draft& draft) {
    const Planned planned(draft, false);
    if (!planned.plan) return;
    std::vector<std::set<std::uint16_t>> actual(draft.nodes.size());
    std::vector<bool> differs(draft.nodes.size());
    compare(
        draft, *planned.plan,
        [&](NodeIndex i, const Peer& peer, const DraftPeer& is) {
            actual[i].insert(is.keepalive);
            if (peer.keepalive != is.keepalive) differs[i] = true;
        },
        [](NodeIndex, const DraftPeer&) {}, [](NodeIndex, const Peer&) {});
    for (std::size_t i = 0; i < draft.nodes.size(); ++i)
        if (differs[i] && actual[i].size() == 1) draft.nodes[i].keepalive = *actual[i].begin();
}

void choose_psk(Draft& draft) {
    std::vector<bool> with(draft.nodes.size());
    for (std::size_t i = 0; i < draft.nodes.size(); ++i)
        for (const auto& peer : draft.nodes[i].peers)
            if (peer.psk) with[i] = with[peer.node] = draft.psk = true;
    for (std::size_t i = 0; i < draft.nodes.size(); ++i)
        draft.nodes[i].psk_none = draft.psk && !with[i];
}

std::string correction(const Peer& planned, const DraftPeer& actual) {
    std::string fields;
    const auto add = [&](const std::string& field) {
        fields += (fields.empty() ? "" : ", ") + field;
    };
    if (planned.allowed_ips() != actual.allowed_ips) {
        std::string list;
        for (const auto& prefix : actual.allowed_ips)
            list += (list.empty() ? "" : ", ") + yaml::quote(to_string(prefix));
        add(fmt::format("allowed_ips: [{}]", list));
    }
    if (actual.endpoint && (planned.endpoint == nullptr || *planned.endpoint != *actual.endpoint))
        add(fmt::format("endpoint: {}", yaml::quote(to_string(*actual.endpoint))));
    if (planned.keepalive != actual.keepalive) add(fmt::format("keepalive: {}", actual.keepalive));
    if (!actual.psk && planned.psk == PskMode::per_pair) add("psk: none");
    return fields;
}

} // namespace

void infer_topology(Draft& draft, Diagnostics& diagnostics) {
    choose_psk(draft);
    std::size_t best = SIZE_MAX;
    std::string chosen;
    for (auto& candidate : candidates(draft)) {
        draft.topology = candidate;
        const std::size_t cost = cost_of(draft);
        if (cost < best) {
            best = cost;
            chosen = candidate;
        }
        if (best == 0) break;
    }
    draft.topology = chosen;
    choose_keepalives(draft);
    const Planned planned(draft, false);
    if (!planned.plan) {
        for (const auto& one : planned.parsed.diagnostics.all())
            if (one.severity == Severity::error)
                diagnostics.warning("not-imported", {}, one.message);
        return;
    }
    const auto name = [&](std::size_t i) { return draft.nodes[i].name; };
    compare(
        draft, *planned.plan,
        [&](NodeIndex i, const Peer& peer, const DraftPeer& actual) {
            const auto fields = correction(peer, actual);
            if (!fields.empty()) draft.nodes[i].special[name(actual.node)] = fields;
            if (!actual.endpoint && peer.endpoint != nullptr)
                diagnostics.warning("not-imported", {},
                                    fmt::format("{} has no endpoint for {}, but will have {}",
                                                name(i), name(actual.node),
                                                to_string(*peer.endpoint)));
        },
        [&](NodeIndex i, const DraftPeer& actual) {
            diagnostics
                .warning("not-imported", {},
                         fmt::format("{} and {} are peers, but neither has an endpoint", name(i),
                                     name(actual.node)))
                .hint = "give one of them an endpoint in nodes.yaml";
        },
        [&](NodeIndex i, const Peer& extra) {
            diagnostics.warning(
                "not-imported", {},
                fmt::format("{} will become a peer of {}: only one side has the other now",
                            name(extra.node), name(i)));
        });
}

} // namespace wgkit::mesh
