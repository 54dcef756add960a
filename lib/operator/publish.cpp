// nodes.yaml becomes the fleet's state.
#include <fmt/format.h>

#include "operator/draft.hpp"
#include "operator/inventory.hpp"
#include "operator/stage.hpp"
#include "wgkit/fleet_store.hpp"

namespace wgkit::agent {

namespace {

Result<void> check_revoked(const Draft& draft, const trust::NodeRecord& record) {
    for (const auto& key : draft.revoked)
        if (key == to_string(record.key))
            return Error{Errc::conflict, fmt::format("the key of {} is revoked", record.name),
                         "take the node out of nodes.yaml, or `wgkit mesh rekey` it"};
    return {};
}

} // namespace

Result<Published> stage(Draft& draft, const std::string& network, const mesh::Fleet& fleet,
                        std::optional<bool> drop_unrefreshed) {
    auto inventory = split_inventory(fleet);
    if (!inventory) return inventory.error();
    if (inventory->network != network)
        return Error{Errc::invalid,
                     fmt::format("{} is about network '{}', the store about '{}'",
                                 fleet.paths.nodes, inventory->network, network),
                     {}};
    Published out;
    out.left_hooks_out = inventory->left_hooks_out;
    Records records;
    for (auto& record : inventory->records) {
        if (auto good = check_revoked(draft, record); !good) return good.error();
        const auto before = draft.records.find(record.name);
        if (before == draft.records.end())
            out.added.push_back(record.name);
        else if (before->second.joined)
            return Error{Errc::conflict,
                         fmt::format("{} came by join key and is in nodes.yaml, too", record.name),
                         "rename one of them, or revoke the one that joined"};
        else if (to_json(before->second) != to_json(record))
            out.changed.push_back(record.name);
        records.emplace(record.name, std::move(record));
    }
    for (auto& [name, record] : draft.records) {
        if (records.contains(name)) continue;
        if (record.joined)
            records.emplace(name, record);
        else
            out.removed.push_back(name);
    }
    draft.records = std::move(records);
    draft.fleet.nodes_yaml = inventory->nodes_yaml;
    if (drop_unrefreshed)
        draft.fleet.stale_policy =
            *drop_unrefreshed ? trust::StalePolicy::drop_unrefreshed : trust::StalePolicy::keep;
    out.nodes = draft.records.size();
    return out;
}

Result<void> refuse_if_busy(const Draft& draft) {
    if (draft.rotation)
        return Error{Errc::conflict, "nodes are changing their keys",
                     "`wgkit store rotate --all` goes on with it"};
    if (draft.rollout)
        return Error{Errc::conflict, "a change is on its way from wave to wave",
                     "`wgkit store apply` goes on with it, or --withdraw takes it back"};
    return {};
}

Result<Published> publish(const Operator& op, const mesh::Fleet& fleet,
                          std::optional<bool> drop_unrefreshed) {
    const auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    auto draft = Draft::open(*home, client, op.now);
    if (!draft) return draft.error();
    if (auto free = refuse_if_busy(*draft); !free) return free.error();
    auto out = stage(*draft, home->network, fleet, drop_unrefreshed);
    if (!out) return out;
    const auto revision =
        draft->publish("publish",
                       fmt::format("{} added, {} changed, {} removed", out->added.size(),
                                   out->changed.size(), out->removed.size()),
                       op.valid_for);
    if (!revision) return revision.error();
    out->revision = *revision;
    return out;
}

} // namespace wgkit::agent
