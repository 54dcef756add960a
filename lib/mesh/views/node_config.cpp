#include <fmt/format.h>

#include "mesh/render/render.hpp"
#include "mesh/secrets/custody.hpp"
#include "util/aggregate.hpp"
#include "wgkit/config.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::mesh {

namespace {

struct Found {
    const Plan* plan;
    NodeIndex node;
};

Result<Found> find_node(const Fleet& fleet, std::string_view name, const std::string& network) {
    std::optional<Found> found;
    for (const auto& plan : fleet.plans) {
        if (!network.empty() && plan.network().name.value != network) continue;
        const auto index = plan.find(name);
        if (!index) continue;
        if (found)
            return Error{Errc::invalid, fmt::format("{} is in several networks", name),
                         "name one with --network"};
        found = Found{&plan, *index};
    }
    if (found) return *found;
    return Error{Errc::not_found,
                 network.empty() ? fmt::format("{} has no node '{}'", fleet.paths.nodes, name)
                                 : fmt::format("{} has no node '{}' in a network '{}'",
                                               fleet.paths.nodes, name, network),
                 {}};
}

Result<void> check_usable(const Plan& plan, const Member& member) {
    const std::string& name = member.node->name.value;
    if (!member.active)
        return Error{Errc::invalid, fmt::format("{} is disabled or has expired", name), {}};
    if (!member.node->managed)
        return Error{Errc::invalid, fmt::format("{} is not managed: it has no config here", name),
                     "remove `managed: false` to have wgkit make its key and config"};
    if (member.node->keys == Custody::node)
        return Error{Errc::invalid,
                     fmt::format("the private key of {} is only on the node itself", name),
                     "a config that can be scanned holds its key: use `keys: local` for this node"};
    for (const auto& peer : plan.peers(plan.find(name).value_or(0)))
        if (!plan.member(peer.node).locked->key)
            return Error{Errc::not_found,
                         fmt::format("{} has no key yet, but is a peer of {}",
                                     plan.member(peer.node).node->name.value, name),
                         "run `wgkit mesh render` first: it makes the keys"};
    return {};
}

Result<NodeConfig> compact(const SecretString& text, const std::string& name) {
    auto parsed = config::parse(text, name);
    if (parsed.diagnostics.errors() != 0)
        return Error{Errc::invalid,
                     fmt::format("the config of {} has errors: {}", name,
                                 parsed.diagnostics.all().front().message),
                     {}};
    NodeConfig result;
    auto& interface = parsed.config.interface;
    const auto drop = [&](auto& field, const char* key, bool present) {
        if (present) result.left_out.emplace_back(key);
        field = {};
    };
    drop(interface.table, "Table", interface.table.has_value());
    drop(interface.fw_mark, "FwMark", interface.fw_mark.has_value());
    drop(interface.pre_up, "PreUp", !interface.pre_up.empty());
    drop(interface.post_up, "PostUp", !interface.post_up.empty());
    drop(interface.pre_down, "PreDown", !interface.pre_down.empty());
    drop(interface.post_down, "PostDown", !interface.post_down.empty());
    interface.comments = {};
    interface.origins = {};
    parsed.config.comments.clear();
    for (auto& peer : parsed.config.peers) {
        std::vector<Prefix> prefixes;
        for (const auto& entry : peer.allowed_ips) prefixes.push_back(entry.prefix);
        peer.allowed_ips.clear();
        for (const auto& prefix : aggregate(std::move(prefixes)))
            peer.allowed_ips.push_back({prefix, config::Sign::none});
        peer.comments = {};
        peer.origins = {};
    }
    result.text = config::write(parsed.config);
    return result;
}

} // namespace

Result<NodeConfig> node_config(const Fleet& fleet, std::string_view node,
                               const NodeConfigOptions& options) {
    const auto found = find_node(fleet, node, options.network);
    if (!found) return found.error();
    const Plan& plan = *found->plan;
    if (auto usable = check_usable(plan, plan.member(found->node)); !usable)
        return std::move(usable).error();
    const std::string& network = plan.network().name.value;
    const KeyStore store(fleet.paths.keys, network, options.allow_open_keys);
    const auto secrets =
        load_node_secrets(plan, found->node, *fleet.lock.find(plan.network().name.value), store);
    if (!secrets) return secrets.error();
    std::optional<PairKeys> pair_keys;
    if (secrets->master) pair_keys.emplace(*secrets->master, network);
    const auto view = make_view(plan, found->node, *secrets, pair_keys ? &*pair_keys : nullptr);
    if (!view) return view.error();
    auto file = render_wg_quick(*view, PeerTexts(plan));
    if (!options.compact) return NodeConfig{std::move(file.content), {}};
    return compact(file.content, std::string(node));
}

Result<SecretString> node_text(const Plan& plan, NodeIndex node, const PrivateKey& key) {
    NetworkSecrets secrets;
    secrets.keys.resize(plan.size());
    secrets.keys[node] = key.clone();
    const auto view = make_view(plan, node, secrets, nullptr);
    if (!view) return view.error();
    return std::move(render_wg_quick(*view, PeerTexts(plan)).content);
}

} // namespace wgkit::mesh
