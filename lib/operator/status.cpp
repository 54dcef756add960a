// What is published, and what nodes say of it.
#include "operator/draft.hpp"
#include "operator/hints.hpp"
#include "wgkit/fleet_store.hpp"

namespace wgkit::agent {

Result<StoreStatus> store_status(const Operator& op) {
    const auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    const auto draft = Draft::open(*home, client, op.now);
    if (!draft) return draft.error();
    StoreStatus out;
    out.network = home->network;
    const auto& follower = draft->follower();
    if (!follower.state()) return out;
    const auto& state = *follower.state();
    out.revision = state.snapshot.revision;
    out.expires = state.snapshot.expires;
    const store::Layout layout{home->network};
    const auto nodes = follower.nodes();
    const auto hints = read_hints(client, layout, state, nodes);
    if (!hints) return hints.error();
    for (const auto& record : nodes) {
        NodeStatus node;
        node.name = record.name;
        for (const auto& address : {record.ipv4, record.ipv6})
            if (address) node.addresses.push_back(to_string(*address));
        node.runs_agent = record.agent.has_value();
        node.waits = state.find(record.name) == nullptr;
        if (const auto hint = hints->find(record.name); hint != hints->end()) {
            node.revision = hint->second.revision;
            node.time = hint->second.time;
            node.status = hint->second.status;
        }
        out.nodes.push_back(std::move(node));
    }
    for (const auto& one : state.delegations)
        out.join_keys.push_back({key_id(one.key), one.tags, one.count, one.expires});
    for (const auto& one : follower.admitted().refused)
        out.refused.emplace_back(one.name, one.error.message);
    return out;
}

Result<std::vector<LogEntry>> read_log(const Operator& op) {
    const auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    const auto draft = Draft::open(*home, client, op.now);
    if (!draft) return draft.error();
    const auto entries = client.get_prefixes({store::Layout{home->network}.audit()});
    if (!entries) return entries.error();
    std::vector<LogEntry> out;
    std::string last;
    for (const auto& stored : entries->entries) {
        const auto entry =
            trust::check_audit(*draft->follower().root(), out.size(), last, stored.value);
        if (!entry) return entry.error();
        last = trust::hash_of(trust::parse_envelope(stored.value)->payload);
        out.push_back({entry->number, entry->time, entry->action, entry->subject});
    }
    const auto pin = load_pin(*home);
    if (!pin) return pin.error();
    if (pin->audit_number > out.size())
        return Error{Errc::conflict, "the end of the log is missing",
                     "somebody removed entries from the store"};
    return out;
}

} // namespace wgkit::agent
