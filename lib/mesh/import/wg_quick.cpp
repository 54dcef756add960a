// wg-quick files -> drafts: what every other file says of a node becomes the node's own.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "mesh/import/draft.hpp"
#include "mesh/import/node_order.hpp"
#include "mesh/import/own_hooks.hpp"
#include "mesh/import/wg_quick_file.hpp"
#include "util/ascii.hpp"

namespace wgkit::mesh {

namespace {

/// The pool that holds all addresses: the shortest prefix that somebody gives, if it does.
std::optional<Prefix> pool_of(const std::vector<WgQuickFile*>& sources, Family family,
                              Diagnostics& diagnostics) {
    std::vector<const Prefix*> all;
    for (const auto* source : sources)
        for (const auto& prefix : source->config.interface.addresses)
            if (prefix.address.family() == family) all.push_back(&prefix);
    if (all.empty()) return std::nullopt;
    Prefix pool = **std::min_element(all.begin(), all.end(), [](const Prefix* a, const Prefix* b) {
        return a->length < b->length;
    });
    const std::uint8_t roomy = family == Family::ipv4 ? 24 : 64; // when nobody gives a pool at all
    pool.length = pool.length == pool.address.bits() ? roomy : pool.length;
    const auto holds = [&](const Prefix* one) { return pool.masked().contains(one->address); };
    while (pool.length > 0 && !std::all_of(all.begin(), all.end(), holds)) --pool.length;
    for (const auto* one : all)
        if (one->length != pool.length) {
            diagnostics.warning("address-length", {},
                                fmt::format("not all addresses have the length of the pool {}; "
                                            "they will",
                                            to_string(pool.masked())));
            break;
        }
    return pool.masked();
}

/// Builds the draft of one network.
class Builder {
  public:
    Builder(std::string network, std::vector<WgQuickFile*> sources, Diagnostics& diagnostics)
        : sources_(std::move(sources)), diagnostics_(diagnostics) {
        draft_.name = std::move(network);
    }

    void build() {
        draft_.ipv4 = pool_of(sources_, Family::ipv4, diagnostics_);
        draft_.ipv6 = pool_of(sources_, Family::ipv6, diagnostics_);
        for (const auto* source : sources_) add_node(*source);
        for (std::size_t i = 0; i < sources_.size(); ++i) find_peers(i);
        find_addresses();
        for (std::size_t i = 0; i < sources_.size(); ++i) read_peers(i);
        even_out_psks();
        find_endpoints();
        find_exits();
        find_routes();
        find_relays();
    }

    Draft draft_;
    std::vector<ImportedKey> keys_;
    StoredPairs pairs_;

  private:
    void add_node(const WgQuickFile& source) {
        const config::Interface& from = source.config.interface;
        DraftNode node;
        node.name = make_label(source.name, draft_.nodes);
        node.has_file = true;
        node.by_wgkit = source.by_wgkit;
        node.interface = source.interface;
        if (from.private_key) {
            node.key = public_key(*from.private_key);
            node.has_key = true;
            keys_.push_back({draft_.name, node.name, from.private_key->clone()});
            by_key_.emplace(*node.key, draft_.nodes.size());
        } else {
            node.keys_on_node = true;
            node.key = source.key;
            node.key_in_lock = node.key.has_value();
            if (node.key) by_key_.emplace(*node.key, draft_.nodes.size());
        }
        node.ssh = source.ssh;
        for (const auto& prefix : from.addresses) {
            auto& mine = prefix.address.is_v4() ? node.ipv4 : node.ipv6;
            if (mine)
                diagnostics_.warning(
                    "second-address", {},
                    fmt::format("{} has several addresses of one family; {} becomes a route",
                                node.name, to_string(prefix.address)));
            if (mine)
                node.routes.push_back(Prefix::host(prefix.address));
            else
                mine = prefix.address;
        }
        if (from.listen_port && *from.listen_port != 0) node.port = from.listen_port;
        node.mtu = from.mtu;
        node.dns = from.dns;
        node.fwmark = from.fw_mark;
        if (from.table) take_table(node, *from.table);
        if (from.save_config)
            diagnostics_.warning("not-imported", {},
                                 fmt::format("{}: SaveConfig would undo what is rendered; it is "
                                             "left out",
                                             source.path));
        take_hooks(node, from, draft_.ipv4, draft_.ipv6);
        draft_.nodes.push_back(std::move(node));
    }

    void take_table(DraftNode& node, const std::string& table) {
        const auto number = ascii::to_number(table, 0xFFFFFFFF);
        if (table == "off" || table == "auto" || table == "main" || (number && *number != 0))
            node.table = table;
        else
            diagnostics_.warning(
                "not-imported", {},
                fmt::format("{}: the table '{}' is a name; give its number", node.name, table));
    }

    /// Gives every key that file `i` names a node.
    void find_peers(std::size_t i) {
        for (const auto& peer : sources_[i]->config.peers) {
            if (by_key_.contains(peer.public_key)) continue;
            std::string name;
            for (const auto* list : {&peer.comments.below, &peer.comments.above})
                if (name.empty() && !list->empty()) name = list->front();
            if (name.empty()) name = peer.comments.beside;
            const auto silent =
                std::find_if(draft_.nodes.begin(), draft_.nodes.end(), [&](const DraftNode& node) {
                    return node.has_file && !node.key && node.name == name;
                });
            if (silent != draft_.nodes.end()) {
                silent->key = peer.public_key;
                by_key_.emplace(peer.public_key,
                                static_cast<std::size_t>(silent - draft_.nodes.begin()));
                continue;
            }
            DraftNode node;
            node.name = make_label(name, draft_.nodes);
            node.key = peer.public_key;
            by_key_.emplace(peer.public_key, draft_.nodes.size());
            draft_.nodes.push_back(std::move(node));
        }
    }

    bool in_pool(const Prefix& prefix) const {
        const auto& pool = prefix.address.is_v4() ? draft_.ipv4 : draft_.ipv6;
        return pool && pool->contains(prefix) && prefix.length == prefix.address.bits();
    }

    bool is_own(const DraftNode& node, const IpAddress& address) const {
        return node.ipv4 == address || node.ipv6 == address;
    }

    bool is_taken(const IpAddress& address) const {
        return std::any_of(draft_.nodes.begin(), draft_.nodes.end(),
                           [&](const DraftNode& node) { return is_own(node, address); });
    }

    /// Addresses of nodes without a file: what others send them from the pool.
    void find_addresses() {
        for (const auto* source : sources_)
            for (const auto& peer : source->config.peers) {
                DraftNode& node = draft_.nodes[by_key_.at(peer.public_key)];
                if (node.has_file) continue;
                for (const auto& entry : peer.allowed_ips) {
                    auto& mine = entry.prefix.address.is_v4() ? node.ipv4 : node.ipv6;
                    if (!mine && in_pool(entry.prefix) && !is_taken(entry.prefix.address))
                        mine = entry.prefix.address;
                }
            }
    }

    Prefix corrected(const config::AllowedIp& entry, const DraftNode& peer,
                     const WgQuickFile& source) {
        const Prefix& prefix = entry.prefix;
        if (!prefix.has_host_bits()) return prefix;
        const Prefix right =
            is_own(peer, prefix.address) ? Prefix::host(prefix.address) : prefix.masked();
        auto& found = diagnostics_.warning(
            "host-bits", {},
            fmt::format(
                "{}: AllowedIPs {} of {} takes in more than its own address; corrected to {}",
                source.path, to_string(prefix), peer.name, to_string(right)));
        found.hint = "the kernel reads it as the whole network, so the last such peer gets all "
                     "traffic";
        return right;
    }

    void read_peers(std::size_t i) {
        for (const auto& from : sources_[i]->config.peers) {
            DraftPeer peer;
            peer.node = by_key_.at(from.public_key);
            if (peer.node == i) {
                diagnostics_.warning(
                    "own-key", {},
                    fmt::format("{} has itself as a peer; left out", sources_[i]->path));
                continue;
            }
            for (const auto& entry : from.allowed_ips)
                peer.allowed_ips.push_back(corrected(entry, draft_.nodes[peer.node], *sources_[i]));
            peer.endpoint = from.endpoint;
            if (from.persistent_keepalive)
                peer.keepalive = static_cast<std::uint16_t>(from.persistent_keepalive->count());
            if (from.preshared_key) take_psk(i, peer, *from.preshared_key);
            draft_.nodes[i].peers.push_back(std::move(peer));
        }
    }

    void take_psk(std::size_t i, DraftPeer& peer, const PresharedKey& key) {
        const std::string& a = draft_.nodes[i].name;
        const std::string& b = draft_.nodes[peer.node].name;
        peer.psk = true;
        if (pairs_.add(a, b, key)) return;
        if (!equal(*pairs_.find(a, b), key))
            diagnostics_.warning("psk-differs", {},
                                 fmt::format("{} and {} have different preshared keys for each "
                                             "other; the first one read is kept",
                                             a, b));
    }

    void even_out_psks() {
        for (auto& node : draft_.nodes)
            for (auto& peer : node.peers) {
                if (peer.psk || pairs_.find(node.name, draft_.nodes[peer.node].name) == nullptr)
                    continue;
                peer.psk = true;
                diagnostics_.warning("psk-differs", {},
                                     fmt::format("{} has no preshared key for {}, which has one; "
                                                 "both will",
                                                 node.name, draft_.nodes[peer.node].name));
            }
    }

    /// What most of the others call a node by.
    void find_endpoints() {
        std::vector<std::map<Endpoint, std::size_t>> votes(draft_.nodes.size());
        for (const auto& node : draft_.nodes)
            for (const auto& peer : node.peers)
                if (peer.endpoint) ++votes[peer.node][*peer.endpoint];
        for (std::size_t i = 0; i < votes.size(); ++i) {
            const auto best =
                std::max_element(votes[i].begin(), votes[i].end(),
                                 [](const auto& a, const auto& b) { return a.second < b.second; });
            if (best != votes[i].end()) draft_.nodes[i].endpoint = best->first;
        }
    }

    /// Nodes whose own hooks forward and masquerade are no exits here: what they are sent stands
    /// under `peers`, and their hooks stay.
    void find_exits() {
        std::set<std::pair<std::string, std::string>> told;
        for (auto& node : draft_.nodes)
            for (const auto& peer : node.peers)
                for (const auto& prefix : peer.allowed_ips) {
                    const DraftNode& exit = draft_.nodes[peer.node];
                    if (prefix.length != 0) continue;
                    if (exit.exit)
                        node.exit_via = exit.name;
                    else if (told.emplace(node.name, exit.name).second)
                        diagnostics_
                            .warning("not-an-exit", {},
                                     fmt::format("{} sends everything to {}, which is kept under "
                                                 "`peers`",
                                                 node.name, exit.name))
                            .hint = fmt::format("`exit: true` for {} instead of its own hooks, and "
                                                "`exit_via: {}` for {}, would say so",
                                                exit.name, exit.name, node.name);
                }
    }

    /// Does the node itself pass this on to somebody else?
    bool passes_on(std::size_t i, const Prefix& prefix) const {
        for (const auto& peer : draft_.nodes[i].peers)
            if (std::find(peer.allowed_ips.begin(), peer.allowed_ips.end(), prefix)
                != peer.allowed_ips.end())
                return true;
        return false;
    }

    void find_routes() {
        // The longest lists first: shorter ones may leave out what their node does not accept.
        std::vector<const DraftPeer*> views;
        for (const auto& node : draft_.nodes)
            for (const auto& peer : node.peers) views.push_back(&peer);
        std::stable_sort(views.begin(), views.end(), [](const DraftPeer* a, const DraftPeer* b) {
            return a->allowed_ips.size() > b->allowed_ips.size();
        });
        std::set<IpAddress> addresses;
        for (const auto& node : draft_.nodes)
            for (const auto& address : {node.ipv4, node.ipv6})
                if (address) addresses.insert(*address);
        for (const auto* view : views) {
            const DraftNode& owner = draft_.nodes[view->node];
            if (owner.by_wgkit && !owner.forwards) continue; // what has routes forwards
            auto& routes = draft_.nodes[view->node].routes;
            for (const auto& prefix : view->allowed_ips) {
                const bool host = prefix.length == prefix.address.bits();
                if ((draft_.ipv4 && prefix.contains(*draft_.ipv4))
                    || (draft_.ipv6 && prefix.contains(*draft_.ipv6)) || prefix.length == 0
                    || (host && addresses.contains(prefix.address))
                    || std::find(routes.begin(), routes.end(), prefix) != routes.end()
                    || passes_on(view->node, prefix))
                    continue;
                routes.push_back(prefix);
            }
        }
    }

    void find_relays() {
        for (auto& node : draft_.nodes)
            node.relay =
                node.forwards && node.routes.empty() && !node.exit
                && std::none_of(draft_.nodes.begin(), draft_.nodes.end(),
                                [&](const DraftNode& other) { return other.exit_via == node.name; })
                && !is_pool_hub(node);
    }

    bool is_pool_hub(const DraftNode& hub) const {
        for (const auto& node : draft_.nodes)
            for (const auto& peer : node.peers)
                for (const auto& prefix : peer.allowed_ips)
                    if (&draft_.nodes[peer.node] == &hub
                        && (prefix == draft_.ipv4 || prefix == draft_.ipv6))
                        return true;
        return false;
    }

    std::vector<WgQuickFile*> sources_;
    Diagnostics& diagnostics_;
    std::unordered_map<PublicKey, std::size_t> by_key_;
};

} // namespace

Result<Imported> import_wg_quick(std::span<const ImportFile> files, const ImportOptions& options) {
    Diagnostics diagnostics;
    std::vector<WgQuickFile> sources;
    for (const auto& file : files) {
        auto source = read_wg_quick(file, options.network);
        if (!source) return std::move(source).error();
        sources.push_back(std::move(*source));
    }
    if (sources.empty()) return Error{Errc::not_found, "there is no .conf file to import", {}};
    std::map<std::string, std::vector<WgQuickFile*>> networks;
    for (auto& source : sources) networks[source.network].push_back(&source);

    std::vector<Draft> drafts;
    std::vector<ImportedKey> keys;
    std::vector<ImportedPairs> pairs;
    for (auto& network : networks) {
        Builder builder(network.first, network.second, diagnostics);
        builder.build();
        drafts.push_back(std::move(builder.draft_));
        for (auto& key : builder.keys_) keys.push_back(std::move(key));
        if (builder.pairs_.size() != 0)
            pairs.push_back({network.first, builder.pairs_.size(), builder.pairs_.to_text()});
    }
    const auto order = common_order(drafts);
    for (auto& draft : drafts) {
        reorder(draft, order);
        infer_topology(draft, diagnostics);
    }
    auto imported = finish_import(drafts, std::move(keys), std::move(diagnostics), options.today);
    imported.pairs = std::move(pairs);
    return imported;
}

} // namespace wgkit::mesh
