// Plan -> why two nodes reach each other. What carries a packet is looked up in the peers that
// render writes, as the kernel would: the longest prefix wins, whatever the plan meant.
#include <fmt/format.h>

#include <algorithm>

#include "mesh/reach.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::mesh {

namespace {

const PeerOverride* override_for(const Node& node, const Node& peer) {
    for (const auto& one : node.peers)
        if (one.peer.value == peer.name.value) return &one;
    return nullptr;
}

std::string_view word_for(TopologyRule::Kind kind) {
    switch (kind) {
    case TopologyRule::Kind::mesh:
        return "mesh";
    case TopologyRule::Kind::hub:
        return "hub";
    case TopologyRule::Kind::sites:
        return "sites";
    case TopologyRule::Kind::links:
        return "links";
    }
    return "";
}

/// Explains one direction at a time of one network.
class Explainer {
  public:
    Explainer(const Fleet& fleet, const Plan& plan)
        : fleet_(fleet), plan_(plan), reach_(plan.network()) {}

    Direction direction(NodeIndex from, NodeIndex to) const {
        const Path path = plan_.path(from, to);
        Direction result{name(from), name(to), path.kind, {}, {}};
        switch (path.kind) {
        case Path::Kind::none:
            result.why = why_not(from, to);
            break;
        case Path::Kind::direct:
            result.why = why_linked(from, to);
            result.hops = {hop(from, to, to)};
            break;
        case Path::Kind::hub:
            result.why =
                fmt::format("{} is their hub: {}", name(path.via), why_linked(from, path.via));
            result.hops = {hop(from, path.via, to), hop(path.via, to, to)};
            break;
        case Path::Kind::relay:
            result.why = fmt::format("{}, but {}; {} is a relay{}", why_linked(from, to),
                                     why_unreachable(from, to), name(path.via),
                                     at(node(path.via).name.mark));
            result.hops = {hop(from, path.via, to), hop(path.via, to, to)};
            break;
        case Path::Kind::exit:
            result.why = fmt::format("no rule links them, but {} sends everything through {}{}",
                                     name(from), name(path.via), at(node(from).exit_via->mark));
            result.hops = {hop(from, path.via, to)};
            break;
        }
        return result;
    }

  private:
    const Node& node(NodeIndex i) const { return *plan_.member(i).node; }
    const std::string& name(NodeIndex i) const { return node(i).name.value; }

    std::string at(Mark mark) const {
        return mark.line == 0 ? "" : fmt::format(" ({}:{})", fleet_.paths.nodes, mark.line);
    }

    bool exits_via(NodeIndex from, NodeIndex exit) const {
        return node(from).exit_via && node(from).exit_via->value == name(exit);
    }

    std::string why_linked(NodeIndex a, NodeIndex b) const {
        if (const auto* rule = plan_.path(a, b).rule)
            return fmt::format("linked by the {} rule{}", word_for(rule->kind), at(rule->mark));
        for (const auto& [client, exit] : {std::pair(a, b), std::pair(b, a)})
            if (exits_via(client, exit))
                return fmt::format("{} is the exit of {}{}", name(exit), name(client),
                                   at(node(client).exit_via->mark));
        const NodeIndex relay = node(a).relay ? a : b;
        return fmt::format("{} is a relay{}", name(relay), at(node(relay).name.mark));
    }

    std::string why_unreachable(NodeIndex a, NodeIndex b) const {
        std::vector<std::string> common;
        for (const auto& one : node(a).underlays)
            for (const auto& two : node(b).underlays)
                if (one.name == two.name) common.push_back(one.name);
        if (common.empty())
            return fmt::format("they share no underlay{}{}", at(node(a).name.mark),
                               at(node(b).name.mark));
        return fmt::format("neither has an endpoint on the underlay {}{}{}", common.front(),
                           at(node(a).name.mark), at(node(b).name.mark));
    }

    std::string why_not(NodeIndex a, NodeIndex b) const {
        for (const auto i : {a, b}) {
            if (node(i).disabled)
                return fmt::format("{} is disabled{}", name(i), at(node(i).name.mark));
            if (!plan_.member(i).active)
                return fmt::format("{} has expired{}", name(i),
                                   at(node(i).expires ? node(i).expires->mark : Mark{}));
        }
        if (plan_.path(a, b).rule != nullptr)
            return fmt::format("{}, but {}, and no relay is reachable by both", why_linked(a, b),
                               why_unreachable(a, b));
        return "no rule of topology links them, and no hub is common to both";
    }

    Hop hop(NodeIndex from, NodeIndex to, NodeIndex target) const {
        Hop hop;
        hop.from = name(from);
        hop.to = name(to);
        const auto meeting = reach_.meet(from, to);
        if (meeting) hop.underlay = *meeting->underlay;
        const auto peers = plan_.peers(from);
        for (const auto& peer : peers) {
            if (peer.node != to) continue;
            if (peer.endpoint != nullptr) hop.endpoint = *peer.endpoint;
            hop.keepalive = peer.keepalive;
            hop.keepalive_why = why_keepalive(from, to, hop);
            hop.psk = peer.psk;
            hop.psk_epoch = peer.psk_epoch;
        }
        for (const auto& prefix : plan_.member(target).prefixes)
            hop.carriers.push_back(carrier(from, target, prefix, peers));
        return hop;
    }

    std::string why_keepalive(NodeIndex from, NodeIndex to, const Hop& hop) const {
        if (const auto* special = override_for(node(from), node(to));
            special != nullptr && special->keepalive)
            return fmt::format("set for this peer{}", at(special->peer.mark));
        if (node(from).keepalive)
            return fmt::format("set for {}{}", name(from), at(node(from).keepalive->mark));
        if (exits_via(from, to)) return fmt::format("{} is the exit of {}", name(to), name(from));
        return hop.keepalive == 0
                   ? fmt::format("{} can be called on {}", name(from), hop.underlay)
                   : fmt::format("{} has no endpoint on {}: its NAT must keep the way back open",
                                 name(from), hop.underlay);
    }

    Carrier carrier(NodeIndex from, NodeIndex target, const Prefix& prefix,
                    const std::vector<Peer>& peers) const {
        Carrier result{prefix, {}, {}, {}};
        const Peer* best = nullptr;
        for (const auto& peer : peers)
            for (const auto& entry : peer.allowed_ips())
                // Of equal entries the last one wins, as in wg.
                if (entry.contains(prefix)
                    && (!result.entry || entry.length >= result.entry->length)) {
                    result.entry = entry;
                    best = &peer;
                }
        if (best == nullptr) {
            const auto& accepted = node(from).accept_routes;
            result.why = accepted ? fmt::format("{} does not accept this route{}", name(from),
                                                at(accepted->mark))
                                  : fmt::format("no peer of {} has it", name(from));
            return result;
        }
        result.peer = name(best->node);
        result.why = why_entry(from, best->node, target, *result.entry);
        return result;
    }

    std::string why_entry(NodeIndex from, NodeIndex peer, NodeIndex target,
                          const Prefix& entry) const {
        if (const auto* special = override_for(node(from), node(peer));
            special != nullptr && special->allowed_ips)
            return fmt::format("set for this peer{}", at(special->peer.mark));
        if (entry.length == 0 && exits_via(from, peer))
            return fmt::format("default route: {} sends everything through {}{}", name(from),
                               name(peer), at(node(from).exit_via->mark));
        const auto& owner = plan_.member(target);
        const auto moved = [&] {
            return peer == target ? "" : fmt::format(", carried by {}", name(peer));
        };
        if (std::find(owner.addresses.begin(), owner.addresses.end(), entry)
            != owner.addresses.end())
            return fmt::format("address of {}{}", name(target), moved());
        for (const auto& route : node(target).routes)
            if (route.value == entry)
                return fmt::format("route of {}{}{}", name(target), moved(), at(route.mark));
        const Network& network = plan_.network();
        for (const auto* pool : {&network.ipv4, &network.ipv6})
            if (*pool && (*pool)->value == entry)
                return fmt::format("pool of the network{}, whole to the hub {}", at((*pool)->mark),
                                   name(peer));
        for (const auto& route : node(peer).routes)
            if (route.value == entry)
                return fmt::format("route of {}{}", name(peer), at(route.mark));
        return fmt::format("AllowedIPs of {}", name(peer));
    }

    const Fleet& fleet_;
    const Plan& plan_;
    Reach reach_;
};

} // namespace

Result<std::vector<Explanation>> explain(const Fleet& fleet, std::string_view a,
                                         std::string_view b) {
    if (a == b)
        return Error{Errc::invalid, fmt::format("'{}' is given twice", a), "name two nodes"};
    std::vector<Explanation> list;
    bool knows_a = false;
    bool knows_b = false;
    for (const auto& plan : fleet.plans) {
        const auto from = plan.find(a);
        const auto to = plan.find(b);
        knows_a |= from.has_value();
        knows_b |= to.has_value();
        if (!from || !to) continue;
        const Explainer explainer(fleet, plan);
        list.push_back({plan.network().name.value, explainer.direction(*from, *to),
                        explainer.direction(*to, *from)});
    }
    if (!list.empty()) return list;
    if (knows_a && knows_b)
        return Error{Errc::not_found, fmt::format("{} and {} are in no common network", a, b),
                     "add one of them to a network of the other: `networks` in wgkit-nodes(5)"};
    return Error{Errc::not_found,
                 fmt::format("{} has no node '{}'", fleet.paths.nodes, knows_a ? b : a),
                 {}};
}

std::string_view to_string(Path::Kind kind) {
    switch (kind) {
    case Path::Kind::none:
        return "none";
    case Path::Kind::direct:
        return "direct";
    case Path::Kind::hub:
        return "hub";
    case Path::Kind::relay:
        return "relay";
    case Path::Kind::exit:
        return "exit";
    }
    return "";
}

std::string_view to_string(PskMode mode) {
    switch (mode) {
    case PskMode::none:
        return "none";
    case PskMode::per_pair:
        return "per-pair";
    case PskMode::external:
        return "external";
    }
    return "";
}

} // namespace wgkit::mesh
