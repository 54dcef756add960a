#include <fmt/format.h>

#include <algorithm>

#include "util/ascii.hpp"
#include "wgkit/monitor_policy.hpp"

namespace wgkit::monitor {

namespace {

/// What a better wish has set.
struct Has {
    bool expect = false;
    bool probe = false;
};

/// Takes from a wish what no better one has set.
void add(Policy::Entry& entry, Has& has, const Wish& wish) {
    if (wish.expect && !has.expect) {
        entry.rule.expect = *wish.expect;
        has.expect = true;
    }
    if (wish.probe && !has.probe) {
        entry.rule.probe = *wish.probe;
        has.probe = true;
    }
    if (wish.address && entry.addresses.empty()) entry.addresses = {*wish.address};
    if (wish.max_stale && !entry.rule.max_stale) entry.rule.max_stale = *wish.max_stale;
}

bool has_tag(const KnownNode& node, const std::string& tag) {
    return std::find(node.tags.begin(), node.tags.end(), tag) != node.tags.end();
}

Policy::Entry entry_of(const Wishes& wishes, const KnownNode& node, const Policy& policy) {
    Policy::Entry entry{node.name, {}, node.tags};
    Has has{.expect = node.disabled};
    if (node.disabled) entry.rule.expect = Expect::ignore;
    const std::string key = to_string(node.key);
    for (const auto& wish : wishes.peers) {
        if (wish.selector != node.name && wish.selector != key) continue;
        add(entry, has, wish);
        if (wish.name) entry.name = *wish.name;
    }
    for (const auto& wish : wishes.tags)
        if (has_tag(node, wish.selector)) add(entry, has, wish);
    if (!has.expect) entry.rule.expect = policy.otherwise.expect;
    if (!has.probe) entry.rule.probe = policy.otherwise.probe;
    if (entry.addresses.empty()) entry.addresses = node.addresses;
    if (!entry.rule.max_stale) entry.rule.max_stale = policy.otherwise.max_stale;
    entry.rule.strict = policy.otherwise.strict;
    entry.rule.bad_runs = policy.otherwise.bad_runs;
    return entry;
}

} // namespace

std::vector<KnownNode> known_nodes(const mesh::Fleet& fleet) {
    std::vector<KnownNode> nodes;
    for (const auto& network : fleet.inventory.networks) {
        const auto* locked = fleet.lock.find(network.name.value);
        for (const auto& node : network.nodes) {
            std::optional<PublicKey> key;
            if (node.public_key) key = node.public_key->value;
            const auto* kept = locked == nullptr ? nullptr : locked->find(node.name.value);
            if (!key && kept != nullptr) key = kept->key;
            if (!key) continue;
            KnownNode& known = nodes.emplace_back();
            known.name = node.name.value;
            known.network = network.name.value;
            known.key = *key;
            known.disabled = node.disabled;
            if (kept != nullptr)
                for (const auto& address : {kept->ipv4, kept->ipv6})
                    if (address) known.addresses.push_back(*address);
            for (const auto& tag : node.tags) known.tags.push_back(tag.value);
        }
    }
    return nodes;
}

void apply(const Wishes& wishes, const std::vector<KnownNode>& nodes, Policy& policy,
           Diagnostics& diagnostics) {
    if (wishes.otherwise.expect) policy.otherwise.expect = *wishes.otherwise.expect;
    if (wishes.otherwise.probe)
        policy.otherwise.probe = policy.otherwise.probe || *wishes.otherwise.probe;
    if (wishes.otherwise.max_stale && !policy.otherwise.max_stale)
        policy.otherwise.max_stale = *wishes.otherwise.max_stale;
    for (const auto& node : nodes) policy.entries[node.key] = entry_of(wishes, node, policy);
    for (const auto& wish : wishes.peers) {
        if (const auto key = PublicKey::parse(wish.selector)) {
            if (policy.entries.contains(*key)) continue;
            KnownNode node;
            node.key = *key;
            policy.entries[*key] = entry_of(wishes, node, policy);
            continue;
        }
        std::vector<std::string_view> names;
        for (const auto& node : nodes) names.emplace_back(node.name);
        if (std::find(names.begin(), names.end(), wish.selector) != names.end()) continue;
        auto& found = diagnostics.warning("unknown-node", wish.mark,
                                          fmt::format("no node is named '{}'", wish.selector));
        if (const auto near = ascii::nearest(wish.selector, names))
            found.hint = fmt::format("did you mean '{}'?", *near);
        else if (nodes.empty())
            found.hint = "names come from nodes.yaml, which `nodes:` or --nodes names";
    }
}

} // namespace wgkit::monitor
