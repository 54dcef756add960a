// Nodes that come by join key, within the bounds of that key.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "trust/verify.hpp"
#include "util/json_text.hpp"

namespace wgkit::trust {

namespace {

Error refuse(const NodeRecord& record, std::string_view why) {
    return {Errc::conflict, fmt::format("{}: {}", record.name, why), {}};
}

bool fits(const std::optional<IpAddress>& address, const std::optional<Prefix>& pool) {
    if (!address) return true;
    if (!pool || !pool->contains(*address)) return false;
    return *address != pool->masked().address; // the network's own
}

/// What a join key cannot give: routes, relays, exits, tags of one's own choice.
Result<void> check_fields(const NodeRecord& record) {
    const auto fields = json_text::parse(record.fields);
    for (const auto& [name, value] : fields.items()) {
        if (name != "endpoint" && name != "port")
            return refuse(record, fmt::format("a join key cannot set '{}'", name));
        if (!value.is_string()) return refuse(record, fmt::format("'{}' is no text", name));
        if (name == "endpoint" && !Endpoint::parse(value.get<std::string>()))
            return refuse(record, "its endpoint is no host:port");
    }
    return {};
}

/// What is taken: one name, key or address belongs to one node.
class Taken {
  public:
    void add(const NodeRecord& record) {
        names_.insert(record.name);
        keys_.insert(to_string(record.key));
        if (record.agent) keys_.insert(to_string(*record.agent));
        if (record.ipv4) addresses_.insert(*record.ipv4);
        if (record.ipv6) addresses_.insert(*record.ipv6);
    }
    Result<void> check(const NodeRecord& record) const {
        if (names_.contains(record.name)) return refuse(record, "the name is taken");
        if (keys_.contains(to_string(record.key))
            || (record.agent && keys_.contains(to_string(*record.agent))))
            return refuse(record, "another node has its key");
        if ((record.ipv4 && addresses_.contains(*record.ipv4))
            || (record.ipv6 && addresses_.contains(*record.ipv6)))
            return refuse(record, "another node has its address");
        return {};
    }

  private:
    std::set<std::string> names_;
    std::set<std::string> keys_;
    std::set<IpAddress> addresses_;
};

Taken taken_by(const State& state) {
    Taken taken;
    for (const auto& record : state.records) taken.add(record);
    return taken;
}

const Delegation* delegation_of(const State& state, const VerifyKey& key) {
    const auto found = std::find_if(state.delegations.begin(), state.delegations.end(),
                                    [&](const Delegation& one) { return one.key == key; });
    return found != state.delegations.end() ? &*found : nullptr;
}

Result<Admission> check_bounds(const State& state, const StoredAdmission& stored, Seconds now) {
    const auto envelope = parse_envelope(stored.envelope);
    if (!envelope) return envelope.error();
    if (envelope->type != type::admission) return Error{Errc::invalid, "not an admission", {}};
    auto admission = parse_admission(envelope->payload);
    if (!admission) return admission;
    const auto& record = admission->record;
    const auto* delegation = delegation_of(state, admission->delegation);
    if (delegation == nullptr) return refuse(record, "its join key is unknown or revoked");
    // First what costs nothing: old admissions stay in the store.
    if (now >= delegation->expires)
        return refuse(record, "its join key has expired before an operator approved the node");
    if (signers(*envelope, {&delegation->key, 1}) != 1)
        return refuse(record, "not signed by its join key");
    if (admission->network != state.snapshot.network) return refuse(record, "another network");
    if (record.name != stored.name) return refuse(record, "stored under another name");
    if (!record.agent || !record.seal) return refuse(record, "it names no agent key");
    if (!record.ipv4 && !record.ipv6) return refuse(record, "it has no address");
    if (!fits(record.ipv4, delegation->ipv4) || !fits(record.ipv6, delegation->ipv6))
        return refuse(record, "its address is outside of the join key's pool");
    if (state.is_revoked(to_string(record.key)) || state.is_revoked(to_string(*record.agent)))
        return refuse(record, "its key is revoked");
    if (auto good = check_fields(record); !good) return good.error();
    return admission;
}

} // namespace

Result<Admission> check_admission(const State& state, const StoredAdmission& stored, Seconds now) {
    auto admission = check_bounds(state, stored, now);
    if (!admission) return admission;
    if (auto free = taken_by(state).check(admission->record); !free) return free.error();
    return admission;
}

Admitted admit(const State& state, std::span<const StoredAdmission> admissions, Seconds now) {
    Admitted out;
    Taken taken = taken_by(state);
    std::map<VerifyKey, std::uint32_t> used;
    for (const auto& stored : admissions) {
        auto admission = check_bounds(state, stored, now);
        // Approved nodes are in the snapshot; their admissions count, but are not news.
        if (admission) {
            const auto* known = state.find(admission->record.name);
            if (known != nullptr && known->key == admission->record.key) {
                ++used[admission->delegation];
                continue;
            }
        }
        Result<void> good =
            admission ? taken.check(admission->record) : Result<void>(admission.error());
        const Delegation* delegation = good ? delegation_of(state, admission->delegation) : nullptr;
        if (good && ++used[delegation->key] > delegation->count)
            good = refuse(admission->record, "its join key was used as often as it may be");
        if (!good) {
            out.refused.push_back({stored.name, good.error()});
            continue;
        }
        NodeRecord record = std::move(admission->record);
        taken.add(record);
        auto fields = json_text::parse(record.fields);
        if (!delegation->tags.empty()) fields["tags"] = delegation->tags;
        record.fields = json_text::dump(fields);
        out.records.push_back(std::move(record));
    }
    return out;
}

} // namespace wgkit::trust
