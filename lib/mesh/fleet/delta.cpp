#include "mesh/fleet/delta.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mesh/render/render.hpp"
#include "mesh/render/render_jobs.hpp"
#include "util/ascii.hpp"
#include "util/join.hpp"

namespace wgkit::mesh {

namespace {

/// A node's files without key and peers: what is its own alone. Holds no secret.
std::vector<RenderedFile> own_part(const Plan& plan, NodeIndex node, std::optional<Format> format) {
    const NodeView view{plan, plan.member(node), nullptr, {}, {}};
    return render_node(view, PeerTexts(), format.value_or(view.node().format.value));
}

std::string endpoint_text(const Endpoint* endpoint) {
    return endpoint == nullptr ? "none" : to_string(*endpoint);
}

std::string keepalive_text(std::uint16_t seconds) {
    return seconds == 0 ? "off" : std::to_string(seconds);
}

std::string psk_text(const Peer& peer) {
    switch (peer.psk) {
    case PskMode::none:
        return "none";
    case PskMode::external:
        return "external";
    case PskMode::per_pair:
        return fmt::format("epoch {}", peer.psk_epoch);
    }
    return "";
}

std::string key_text(const Plan& plan, NodeIndex node) {
    const auto& key = plan.member(node).locked->key;
    return key ? to_string(*key) : "to be made";
}

/// The fields of a [Peer] block as text, so that two blocks can be compared and the difference
/// named.
struct PeerFacts {
    std::string key, psk, allowed_ips, endpoint, keepalive;

    PeerFacts(const Plan& plan, const Peer& peer)
        : key(key_text(plan, peer.node)), psk(psk_text(peer)),
          allowed_ips(join(peer.allowed_ips(), ", ")), endpoint(endpoint_text(peer.endpoint)),
          keepalive(keepalive_text(peer.keepalive)) {}

    std::string difference(const PeerFacts& after) const {
        std::string text;
        const auto add = [&](std::string_view name, const std::string& from,
                             const std::string& to) {
            if (from == to) return;
            text += fmt::format("{}{} {} -> {}", text.empty() ? "" : ", ", name, from, to);
        };
        add("public key", key, after.key);
        add("preshared key", psk, after.psk);
        add("allowed ips", allowed_ips, after.allowed_ips);
        add("endpoint", endpoint, after.endpoint);
        add("keepalive", keepalive, after.keepalive);
        return text;
    }
};

/// Everything about a node that its own files or its peers' can show.
std::string fingerprint(const Member& member) {
    const Node& node = *member.node;
    std::string text = fmt::format("{}|{}|{}|{}|{}", member.active, node.managed,
                                   join(member.prefixes, ","), static_cast<int>(node.psk),
                                   member.locked != nullptr ? member.locked->psk_epoch : 0);
    if (member.locked != nullptr && member.locked->key)
        text += "|" + to_string(*member.locked->key);
    for (const auto& underlay : node.underlays)
        text += fmt::format("|{} {}", underlay.name,
                            underlay.endpoint ? to_string(underlay.endpoint->value) : "");
    for (const auto& tag : node.tags) text += "|" + tag.value;
    if (node.keepalive) text += fmt::format("|k{}", node.keepalive->value);
    if (node.accept_routes) text += "|a" + join(node.accept_routes->value, ",");
    if (node.exit_via) text += "|e" + node.exit_via->value;
    for (const auto& peer : node.peers)
        text += fmt::format("|{} {} {} {} {}", peer.peer.value,
                            peer.allowed_ips ? join(*peer.allowed_ips, ",") : "-",
                            peer.endpoint ? to_string(*peer.endpoint) : "-",
                            peer.keepalive ? std::to_string(*peer.keepalive) : "-",
                            peer.psk ? std::to_string(static_cast<int>(*peer.psk)) : "-");
    return text;
}

bool same_rules(const Network& a, const Network& b) {
    const auto same_selector = [](const Selector& x, const Selector& y) {
        return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                          [](const auto& l, const auto& r) { return l.value == r.value; });
    };
    const auto pool = [](const std::optional<Located<Prefix>>& p) {
        return p ? std::optional(p->value) : std::nullopt;
    };
    return pool(a.ipv4) == pool(b.ipv4) && pool(a.ipv6) == pool(b.ipv6)
           && std::equal(a.topology.begin(), a.topology.end(), b.topology.begin(), b.topology.end(),
                         [&](const TopologyRule& x, const TopologyRule& y) {
                             return x.kind == y.kind && same_selector(x.first, y.first)
                                    && same_selector(x.second, y.second);
                         });
}

/// Compares two plans; knows which nodes differ and so which pairs need a look.
class Comparison {
  public:
    Comparison(const Plan& before, const Plan& after) : before_(before), after_(after) {
        // Where pairs are independent, two unchanged nodes say of each other what they said.
        pairwise_ = before.pairs_are_independent() && after.pairs_are_independent()
                    && same_rules(before.network(), after.network());
        for (NodeIndex i = 0; i < before.size(); ++i) {
            const auto& name = before.member(i).node->name.value;
            const auto twin = after.find(name);
            if (!twin || fingerprint(before.member(i)) != fingerprint(after.member(*twin)))
                changed_.push_back(name);
        }
        for (NodeIndex i = 0; i < after.size(); ++i)
            if (const auto& name = after.member(i).node->name.value; !before.find(name))
                changed_.push_back(name);
        std::sort(changed_.begin(), changed_.end());
    }

    std::vector<std::string> peers(NodeIndex old_node, NodeIndex new_node) const {
        const auto& name = before_.member(old_node).node->name.value;
        const bool whole = !pairwise_ || std::binary_search(changed_.begin(), changed_.end(), name);
        return whole ? all_peers(old_node, new_node) : changed_peers(old_node, new_node);
    }

  private:
    using FactsByName = std::map<std::string, PeerFacts>;

    std::vector<std::string> all_peers(NodeIndex old_node, NodeIndex new_node) const {
        return describe(facts(before_, before_.peers(old_node)),
                        facts(after_, after_.peers(new_node)));
    }

    std::vector<std::string> changed_peers(NodeIndex old_node, NodeIndex new_node) const {
        return describe(facts(before_, named(before_, old_node)),
                        facts(after_, named(after_, new_node)));
    }

    std::vector<Peer> named(const Plan& plan, NodeIndex node) const {
        std::vector<Peer> peers;
        for (const auto& name : changed_)
            if (const auto other = plan.find(name))
                if (auto peer = plan.peer(node, *other)) peers.push_back(std::move(*peer));
        return peers;
    }

    static FactsByName facts(const Plan& plan, const std::vector<Peer>& peers) {
        FactsByName result;
        for (const auto& peer : peers)
            result.emplace(plan.member(peer.node).node->name.value, PeerFacts(plan, peer));
        return result;
    }

    static std::vector<std::string> describe(const FactsByName& before, const FactsByName& after) {
        std::vector<std::string> lines;
        for (const auto& [name, facts] : before) {
            const auto now = after.find(name);
            if (now == after.end()) {
                lines.push_back("- peer " + name);
            } else if (const auto difference = facts.difference(now->second); !difference.empty()) {
                lines.push_back(fmt::format("~ peer {}: {}", name, difference));
            }
        }
        for (const auto& [name, facts] : after)
            if (!before.contains(name)) lines.push_back("+ peer " + name);
        return lines;
    }

    const Plan& before_;
    const Plan& after_;
    bool pairwise_ = false;
    std::vector<std::string> changed_; ///< names of nodes that differ or that one plan lacks
};

/// Lines that only one of two texts has, in the form of a diff.
std::vector<std::string> line_difference(std::string_view before, std::string_view after) {
    const auto old_lines = ascii::split(before, '\n');
    const auto new_lines = ascii::split(after, '\n');
    const auto has = [](const auto& list, std::string_view line) {
        return std::find(list.begin(), list.end(), line) != list.end();
    };
    std::vector<std::string> lines;
    for (const auto line : old_lines)
        if (!has(new_lines, line)) lines.push_back(fmt::format("- {}", line));
    for (const auto line : new_lines)
        if (!has(old_lines, line)) lines.push_back(fmt::format("+ {}", line));
    if (lines.empty() && before != after) lines.emplace_back("~ order of lines");
    return lines;
}

NodeDelta compare_node(const Comparison& comparison, const Plan& before, NodeIndex old_node,
                       const Plan& after, NodeIndex new_node, std::optional<Format> format) {
    NodeDelta delta;
    std::map<std::string, std::string> old_files;
    for (const auto& file : own_part(before, old_node, format))
        old_files[file.path] = std::string(file.content);
    std::string main_file; // the first file of each format is the one with the peers
    for (const auto& file : own_part(after, new_node, format)) {
        if (main_file.empty()) main_file = file.path;
        const auto known = old_files.find(file.path);
        auto lines = known == old_files.end() ? std::vector<std::string>{"+ file"}
                                              : line_difference(known->second, file.content);
        if (known != old_files.end()) old_files.erase(known);
        if (!lines.empty()) delta.details[file.path] = std::move(lines);
    }
    for (const auto& [path, content] : old_files) delta.details[path] = {"- file"};
    auto& main = delta.details[main_file];
    if (key_text(before, old_node) != key_text(after, new_node))
        main.push_back(
            fmt::format("~ key: {} -> {}", key_text(before, old_node), key_text(after, new_node)));
    const auto peers = comparison.peers(old_node, new_node);
    main.insert(main.end(), peers.begin(), peers.end());
    if (main.empty()) delta.details.erase(main_file);
    return delta;
}

} // namespace

std::vector<std::string> file_paths(const Plan& plan, NodeIndex node,
                                    std::optional<Format> format) {
    std::vector<std::string> paths;
    for (const auto& file : own_part(plan, node, format)) paths.push_back(file.path);
    return paths;
}

std::map<std::string, NodeDelta> compare(const Plan& before, const Plan& after,
                                         std::optional<Format> format) {
    const Comparison comparison(before, after);
    std::map<std::string, NodeDelta> deltas;
    for (NodeIndex i = 0; i < after.size(); ++i) {
        const auto& name = after.member(i).node->name.value;
        const auto twin = before.find(name);
        if (!twin || !has_files(before, *twin) || !has_files(after, i)) continue;
        auto delta = compare_node(comparison, before, *twin, after, i, format);
        if (!delta.details.empty()) deltas.emplace(name, std::move(delta));
    }
    return deltas;
}

} // namespace wgkit::mesh
