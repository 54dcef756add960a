#include "wgkit/plan.hpp"

#include <algorithm>
#include <unordered_map>

#include "mesh/links.hpp"
#include "mesh/reach.hpp"

namespace wgkit::mesh {

namespace {

/// Longest interval that keeps the mappings of most NATs alive, as wg(8) advises.
constexpr std::uint16_t nat_keepalive = 25;

const std::vector<Prefix>& default_routes() {
    static const std::vector<Prefix> routes{*Prefix::parse("0.0.0.0/0"), *Prefix::parse("::/0")};
    return routes;
}

Member make_member(const Network& network, const Node& node, const LockedNode* locked, Date today) {
    Member member;
    member.node = &node;
    member.locked = locked;
    member.active =
        locked != nullptr && !node.disabled && !(node.expires && node.expires->value <= today);
    const auto add = [&](const std::optional<IpAddress>& address,
                         const std::optional<Located<Prefix>>& pool) {
        if (!address || !pool) return;
        member.addresses.push_back(Prefix::host(*address));
        member.interface.push_back({*address, pool->value.length});
    };
    if (locked != nullptr) {
        add(locked->ipv4, network.ipv4);
        add(locked->ipv6, network.ipv6);
    }
    member.prefixes = member.addresses;
    for (const auto& route : node.routes) member.routes.push_back(route.value);
    member.prefixes.insert(member.prefixes.end(), member.routes.begin(), member.routes.end());
    return member;
}

std::vector<Member> make_members(const Network& network, const LockedNetwork& lock, Date today) {
    std::vector<Member> members;
    for (const auto& node : network.nodes)
        members.push_back(make_member(network, node, lock.find(node.name.value), today));
    return members;
}

std::vector<bool> active_of(const std::vector<Member>& members) {
    std::vector<bool> active;
    for (const auto& member : members) active.push_back(member.active);
    return active;
}

const PeerOverride* override_for(const Node& node, const Node& peer) {
    for (const auto& one : node.peers)
        if (one.peer.value == peer.name.value) return &one;
    return nullptr;
}

} // namespace

std::vector<Prefix> Peer::allowed_ips() const {
    std::vector<Prefix> all;
    if (own != nullptr) all = *own;
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

struct Plan::Impl {
    const Network& network;
    std::vector<Member> members;
    Links links;
    Reach reach;
    std::unordered_map<std::string_view, NodeIndex> by_name;
    std::vector<NodeIndex> by_rank;  ///< nodes in the order of their names
    std::vector<std::uint32_t> rank; ///< by node: its place in `by_rank`
    std::vector<PskMode> psk_modes;  ///< by node
    std::vector<bool> has_overrides; ///< by node
    std::vector<NodeIndex> relays;
    std::vector<std::optional<NodeIndex>> hubs; ///< by node: what carries its other traffic
    std::vector<std::vector<NodeIndex>> extra;  ///< links that exits and relays bring, by node
    std::vector<Prefix> pools;
    bool has_hubs = false;

    Impl(const Network& net, const LockedNetwork& lock, Date today)
        : network(net), members(make_members(net, lock, today)), links(net, active_of(members)),
          reach(net), extra(members.size()) {
        if (net.ipv4) pools.push_back(net.ipv4->value);
        if (net.ipv6) pools.push_back(net.ipv6->value);
        for (NodeIndex i = 0; i < members.size(); ++i) {
            by_name.emplace(net.nodes[i].name.value, i);
            psk_modes.push_back(net.nodes[i].psk);
            has_overrides.push_back(!net.nodes[i].peers.empty());
            if (members[i].active && net.nodes[i].relay) relays.push_back(i);
            hubs.push_back(choose_hub(i));
            has_hubs |= hubs.back().has_value();
        }
        sort_by_name();
        link_exits();
        link_relays();
        mark_forwarders();
    }

    const Node& node(NodeIndex i) const { return network.nodes[i]; }

    void sort_by_name() {
        for (NodeIndex i = 0; i < members.size(); ++i) by_rank.push_back(i);
        std::sort(by_rank.begin(), by_rank.end(), [this](NodeIndex a, NodeIndex b) {
            return node(a).name.value < node(b).name.value;
        });
        rank.resize(members.size());
        for (std::uint32_t r = 0; r < by_rank.size(); ++r) rank[by_rank[r]] = r;
    }

    /// The first hub that a spoke can reach, of the first rule that gives it one.
    std::optional<NodeIndex> choose_hub(NodeIndex spoke) const {
        if (!links.hub_of(spoke)) return std::nullopt;
        for (const auto& rule : links.rules()) {
            if (rule.rule->kind != TopologyRule::Kind::hub || !rule.in_second[spoke]) continue;
            for (const auto hub : rule.first)
                if (reach.meet(spoke, hub)) return hub;
        }
        return std::nullopt;
    }

    std::optional<NodeIndex> exit_of(NodeIndex i) const {
        if (!members[i].active || !node(i).exit_via) return std::nullopt;
        const auto found = by_name.find(node(i).exit_via->value);
        if (found == by_name.end() || found->second == i || !members[found->second].active)
            return std::nullopt;
        return found->second;
    }

    void connect(NodeIndex a, NodeIndex b) {
        if (is_extra(a, b)) return;
        extra[a].push_back(b);
        extra[b].push_back(a);
    }

    /// Looks into the shorter list: a relay's or an exit's holds thousands.
    bool is_extra(NodeIndex a, NodeIndex b) const {
        if (extra[b].size() < extra[a].size()) std::swap(a, b);
        return std::find(extra[a].begin(), extra[a].end(), b) != extra[a].end();
    }

    void link_exits() {
        for (NodeIndex i = 0; i < members.size(); ++i)
            if (const auto exit = exit_of(i)) connect(i, *exit);
    }

    void link_relays() {
        if (relays.empty()) return;
        // Pairs that cannot meet are asked for by kind: there are N² pairs, and few kinds.
        constexpr NodeIndex meets = 0xFFFFFFFF;
        constexpr NodeIndex unknown = meets - 1;
        constexpr NodeIndex none = meets - 2;
        std::vector<std::vector<NodeIndex>> by_kind(reach.kinds());
        const auto relay_of = [&](NodeIndex a, NodeIndex b) {
            if (node(a).relay || node(b).relay) { // a relay is none for itself
                if (reach.meet(a, b)) return meets;
                return relay_between(a, b).value_or(none);
            }
            auto& row = by_kind[reach.kind(a)];
            if (row.empty()) row.assign(reach.kinds(), unknown);
            auto& known = row[reach.kind(b)];
            if (known == unknown)
                known = reach.meet(a, b) ? meets : relay_between(a, b).value_or(none);
            return known;
        };
        for (NodeIndex i = 0; i < members.size(); ++i) {
            if (!members[i].active) continue;
            const auto marks = linked(i);
            for (NodeIndex j = i + 1; j < members.size(); ++j) {
                if (marks[j] == 0 || !members[j].active) continue;
                const NodeIndex relay = relay_of(i, j);
                if (relay == meets || relay == none) continue;
                if ((is_extra(i, relay) && is_extra(j, relay)) || hub_between(i, j)) continue;
                connect(i, relay);
                connect(j, relay);
            }
        }
    }

    void mark_forwarders() {
        for (NodeIndex i = 0; i < members.size(); ++i) {
            const Node& n = node(i);
            members[i].forwards = n.exit || n.relay || !n.routes.empty();
            if (const auto hub = hubs[i]) members[*hub].forwards = true;
            if (const auto exit = exit_of(i)) members[*exit].forwards = true;
        }
    }

    std::vector<std::uint8_t> linked(NodeIndex i) const {
        std::vector<std::uint8_t> marks(members.size(), 0);
        if (!members[i].active) return marks;
        links.mark(i, marks);
        for (const auto j : extra[i]) marks[j] = 1;
        return marks;
    }

    bool are_linked(NodeIndex a, NodeIndex b) const {
        return links.linking(a, b) != nullptr || is_extra(a, b);
    }

    bool direct(NodeIndex a, NodeIndex b) const { return are_linked(a, b) && reach.meet(a, b); }

    /// The hub that carries traffic between two nodes that are no peers. Symmetric.
    std::optional<NodeIndex> hub_between(NodeIndex a, NodeIndex b) const {
        std::optional<NodeIndex> best;
        const auto consider = [&](std::optional<NodeIndex> hub, NodeIndex spoke, NodeIndex other) {
            if (hub && *hub != other && direct(*hub, spoke) && direct(*hub, other))
                best = best ? std::min(*best, *hub) : *hub;
        };
        consider(hubs[a], a, b);
        consider(hubs[b], b, a);
        return best;
    }

    std::optional<NodeIndex> relay_between(NodeIndex a, NodeIndex b) const {
        for (const auto relay : relays)
            if (relay != a && relay != b && reach.meet(a, relay) && reach.meet(b, relay))
                return relay;
        return std::nullopt;
    }

    PskMode psk_between(NodeIndex a, NodeIndex b) const {
        // Asked for every pair: the modes lie close together, the nodes do not.
        const auto mode_at = [&](NodeIndex here, NodeIndex there) {
            if (!has_overrides[here]) return psk_modes[here];
            const auto* special = override_for(node(here), node(there));
            return special != nullptr && special->psk ? *special->psk : psk_modes[here];
        };
        const PskMode one = mode_at(a, b);
        const PskMode two = mode_at(b, a);
        if (one == PskMode::external || two == PskMode::external) return PskMode::external;
        return one == PskMode::none || two == PskMode::none ? PskMode::none : PskMode::per_pair;
    }

    Peer make_peer(NodeIndex i, NodeIndex j, const Meeting& meeting) const {
        Peer peer;
        peer.node = j;
        peer.own = &members[j].prefixes;
        peer.endpoint = meeting.second;
        if (node(i).keepalive)
            peer.keepalive = node(i).keepalive->value;
        else if (meeting.first == nullptr)
            peer.keepalive = nat_keepalive;
        peer.psk = psk_between(i, j);
        if (peer.psk == PskMode::per_pair)
            peer.psk_epoch = std::min(members[i].locked->psk_epoch, members[j].locked->psk_epoch);
        return peer;
    }

    /// AllowedIPs of the peers that carry more than themselves: `hub` the whole pool, exits the
    /// whole internet.
    void widen(NodeIndex i, Peer& peer) const {
        if (exit_of(i) == peer.node) {
            peer.own = &default_routes();
            // A hub's pool is more specific than the default route: the exit keeps its own
            // addresses.
            const auto& own = hubs[i] && hubs[i] != peer.node ? members[peer.node].prefixes
                                                              : members[peer.node].routes;
            peer.more.insert(peer.more.begin(), own.begin(), own.end());
            if (!node(i).keepalive) peer.keepalive = nat_keepalive;
        } else if (hubs[i] == peer.node) {
            peer.own = &pools;
            peer.more.insert(peer.more.begin(), members[peer.node].routes.begin(),
                             members[peer.node].routes.end());
        }
    }

    /// Adds what `carrier` carries for `j`, unless its pool or default route covers it.
    void carry(NodeIndex i, Peer& carrier, NodeIndex j) const {
        const bool covers_pool =
            hubs[i] == carrier.node || (exit_of(i) == carrier.node && !hubs[i]);
        const auto& list = covers_pool ? members[j].routes : members[j].prefixes;
        carrier.more.insert(carrier.more.end(), list.begin(), list.end());
    }

    /// Drops the routes that node `i` does not accept; addresses in the pools always stay.
    void filter_routes(NodeIndex i, Peer& peer) const {
        const auto& accepted = node(i).accept_routes;
        if (!accepted || exit_of(i) == peer.node) return;
        const auto wanted = [&](const Prefix& route) {
            const auto covers = [&](const Prefix& p) { return p.contains(route); };
            return std::any_of(pools.begin(), pools.end(), covers)
                   || std::any_of(accepted->value.begin(), accepted->value.end(), covers);
        };
        auto all = peer.allowed_ips();
        std::erase_if(all, [&](const Prefix& p) { return !wanted(p); });
        peer.own = nullptr;
        peer.more = std::move(all);
    }

    void apply_override(NodeIndex i, Peer& peer) const {
        if (!has_overrides[i]) return;
        const auto* special = override_for(node(i), node(peer.node));
        if (special == nullptr) return;
        if (special->allowed_ips) {
            peer.own = &*special->allowed_ips;
            peer.more.clear();
        }
        if (special->endpoint) peer.endpoint = &*special->endpoint;
        if (special->keepalive) peer.keepalive = *special->keepalive;
    }

    std::vector<Peer> peers(NodeIndex i) const {
        std::vector<Peer> result;
        const auto marks = linked(i);
        result.reserve(static_cast<std::size_t>(std::count(marks.begin(), marks.end(), 1)));
        std::vector<NodeIndex> carried; // linked or behind a hub, but no peers
        for (const NodeIndex j : by_rank) {
            if (j == i || !members[j].active || !members[i].active) continue;
            const auto meeting = marks[j] != 0 ? reach.meet(i, j) : std::nullopt;
            if (meeting)
                result.push_back(make_peer(i, j, *meeting));
            else if (has_hubs || marks[j] != 0)
                carried.push_back(j);
        }
        const auto peer_of = [&](NodeIndex j) {
            return std::lower_bound(
                result.begin(), result.end(), rank[j],
                [this](const Peer& p, std::uint32_t wanted) { return rank[p.node] < wanted; });
        };
        for (const auto j : carried) {
            const auto hub = hub_between(i, j);
            const auto via = hub || marks[j] == 0 ? hub : relay_between(i, j);
            if (via) carry(i, *peer_of(*via), j);
        }
        for (auto& peer : result) finish(i, peer);
        return result;
    }

    void finish(NodeIndex i, Peer& peer) const {
        widen(i, peer);
        filter_routes(i, peer);
        apply_override(i, peer);
    }

    std::optional<Peer> peer(NodeIndex i, NodeIndex j) const {
        if (i == j || !members[i].active || !members[j].active || !are_linked(i, j))
            return std::nullopt;
        const auto meeting = reach.meet(i, j);
        if (!meeting) return std::nullopt;
        Peer result = make_peer(i, j, *meeting);
        finish(i, result);
        return result;
    }

    Path path(NodeIndex from, NodeIndex to) const {
        Path path;
        if (from == to || !members[from].active || !members[to].active) return path;
        path.rule = links.linking(from, to);
        const auto through = [&](Path::Kind kind, NodeIndex via) {
            path.kind = kind;
            path.via = via;
            if (const auto meeting = reach.meet(from, via)) path.underlay = meeting->underlay;
            return path;
        };
        if (direct(from, to)) return through(Path::Kind::direct, to);
        if (const auto hub = hub_between(from, to)) return through(Path::Kind::hub, *hub);
        if (are_linked(from, to))
            if (const auto relay = relay_between(from, to))
                return through(Path::Kind::relay, *relay);
        if (const auto exit = exit_of(from); exit && direct(from, *exit))
            return through(Path::Kind::exit, *exit);
        return path;
    }
};

Plan::Plan(const Network& network, const LockedNetwork& lock, Date today)
    : impl_(std::make_unique<Impl>(network, lock, today)) {}
Plan::~Plan() = default;
Plan::Plan(Plan&&) noexcept = default;

const Network& Plan::network() const { return impl_->network; }
NodeIndex Plan::size() const { return static_cast<NodeIndex>(impl_->members.size()); }
const Member& Plan::member(NodeIndex node) const { return impl_->members[node]; }

std::optional<NodeIndex> Plan::find(std::string_view name) const {
    const auto found = impl_->by_name.find(name);
    return found == impl_->by_name.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Peer> Plan::peers(NodeIndex node) const { return impl_->peers(node); }
bool Plan::pairs_are_independent() const { return !impl_->has_hubs && impl_->relays.empty(); }
std::optional<Peer> Plan::peer(NodeIndex node, NodeIndex other) const {
    return impl_->peer(node, other);
}
Path Plan::path(NodeIndex from, NodeIndex to) const { return impl_->path(from, to); }

} // namespace wgkit::mesh
