#include "trust/documents.hpp"

#include "trust/json_fields.hpp"
#include "util/ascii.hpp"
#include "util/json_text.hpp"

namespace wgkit::trust {

namespace {

using nlohmann::json;

std::string dump(const json& value) { return json_text::dump(value); }

template <class T>
json texts_of(const std::vector<T>& values) {
    auto list = json::array();
    for (const auto& one : values) list.push_back(to_string(one));
    return list;
}

template <class T>
void put(json& object, const char* name, const std::optional<T>& value) {
    if (value) object[name] = to_string(*value);
}

Result<IpAddress> parse_address(std::string_view text) {
    if (auto address = IpAddress::parse(text)) return *address;
    return Error{Errc::invalid, "not an IP address", {}};
}

/// Hashes become names of keys in the store.
Result<std::string> parse_hash(std::string_view text) {
    const bool good = text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
    if (!good) return Error{Errc::invalid, "not a hash: 64 hexadecimal digits", {}};
    return std::string(text);
}

Result<std::string> parse_previous(std::string_view text) {
    return text.empty() ? Result<std::string>(std::string()) : parse_hash(text);
}

Result<std::string> parse_label(std::string_view text) {
    if (!ascii::is_dns_label(text)) return Error{Errc::invalid, "not a DNS label", {}};
    return std::string(text);
}

json record_json(const NodeRecord& record) {
    json out{{"name", record.name},
             {"key", to_string(record.key)},
             {"generation", record.generation},
             {"fields", json_text::parse(record.fields)}};
    if (record.joined) out["joined"] = true;
    put(out, "agent", record.agent);
    put(out, "seal", record.seal);
    put(out, "ipv4", record.ipv4);
    put(out, "ipv6", record.ipv6);
    return out;
}

Result<NodeRecord> read_record(JsonFields in) {
    NodeRecord record;
    record.name = in.parsed("name", parse_label);
    record.key = in.parsed("key", PublicKey::parse);
    record.generation = in.small_number("generation");
    const auto* joined = in.find("joined");
    record.joined = joined != nullptr && *joined == true;
    record.agent = in.optional("agent", VerifyKey::parse);
    record.seal = in.optional("seal", PublicKey::parse);
    record.ipv4 = in.optional("ipv4", parse_address);
    record.ipv6 = in.optional("ipv6", parse_address);
    if (record.ipv4 && !record.ipv4->is_v4()) in.fail("'ipv4' is not IPv4");
    if (record.ipv6 && record.ipv6->is_v4()) in.fail("'ipv6' is not IPv6");
    const auto* fields = in.find("fields");
    if (fields == nullptr || !fields->is_object())
        in.fail("'fields' is no object");
    else
        record.fields = dump(*fields);
    if (dump(record_json(record)).size() > max_record_bytes)
        in.fail("it is larger than 1024 bytes");
    return in.finish(std::move(record));
}

} // namespace

std::string to_json(const Root& root) {
    return dump({{"network", root.network},
                 {"version", root.version},
                 {"keys", texts_of(root.keys)},
                 {"threshold", root.threshold},
                 {"recovery", texts_of(root.recovery)},
                 {"recovery_threshold", root.recovery_threshold},
                 {"expires", root.expires}});
}

Result<Root> parse_root(std::string_view text) {
    JsonFields in(text, "root");
    Root root;
    root.network = in.parsed("network", parse_label);
    root.version = in.number("version");
    root.keys = in.list("keys", VerifyKey::parse);
    root.threshold = in.small_number("threshold");
    root.recovery = in.list("recovery", VerifyKey::parse);
    root.recovery_threshold = in.small_number("recovery_threshold");
    root.expires = in.time("expires");
    if (root.threshold == 0 || root.threshold > root.keys.size())
        in.fail("'threshold' is not between 1 and the number of keys");
    if (root.recovery_threshold == 0) in.fail("'recovery_threshold' is 0");
    return in.finish(std::move(root));
}

std::string to_json(const Snapshot& snapshot) {
    json out({{"network", snapshot.network},
              {"revision", snapshot.revision},
              {"previous", snapshot.previous},
              {"root", snapshot.root},
              {"issued", snapshot.issued},
              {"expires", snapshot.expires},
              {"fleet", snapshot.fleet},
              {"index", snapshot.index},
              {"delegations", snapshot.delegations},
              {"revoked", snapshot.revoked}});
    if (!snapshot.rotation.empty()) out["rotation"] = snapshot.rotation;
    if (!snapshot.rollout.empty()) out["rollout"] = snapshot.rollout;
    return dump(out);
}

Result<Snapshot> parse_snapshot(std::string_view text) {
    JsonFields in(text, "snapshot");
    Snapshot snapshot;
    snapshot.network = in.parsed("network", parse_label);
    snapshot.revision = in.number("revision");
    snapshot.previous = in.parsed("previous", parse_previous);
    snapshot.root = in.number("root");
    snapshot.issued = in.time("issued");
    snapshot.expires = in.time("expires");
    snapshot.fleet = in.parsed("fleet", parse_hash);
    snapshot.index = in.list("index", parse_hash);
    snapshot.delegations = in.list("delegations", parse_hash);
    snapshot.revoked = in.texts("revoked");
    snapshot.rotation = in.optional("rotation", parse_hash).value_or("");
    snapshot.rollout = in.optional("rollout", parse_hash).value_or("");
    if (snapshot.revision == 0) in.fail("'revision' is 0");
    return in.finish(std::move(snapshot));
}

std::string to_json(const FleetObject& fleet) {
    return dump(
        {{"nodes_yaml", json_text::parse(fleet.nodes_yaml)},
         {"stale_policy", fleet.stale_policy == StalePolicy::keep ? "keep" : "drop-unrefreshed"}});
}

Result<FleetObject> parse_fleet(std::string_view text) {
    JsonFields in(text, "fleet");
    FleetObject fleet;
    const auto* yaml = in.find("nodes_yaml");
    if (yaml == nullptr || !yaml->is_object() || yaml->contains("nodes"))
        in.fail("'nodes_yaml' is no object, or has nodes");
    else
        fleet.nodes_yaml = dump(*yaml);
    const std::string policy = in.text("stale_policy");
    if (policy == "drop-unrefreshed")
        fleet.stale_policy = StalePolicy::drop_unrefreshed;
    else if (policy != "keep")
        in.fail("'stale_policy' is neither keep nor drop-unrefreshed");
    return in.finish(std::move(fleet));
}

std::string to_json(const IndexObject& index) {
    auto records = json::object();
    for (const auto& [name, hash] : index.records) records[name] = hash;
    return dump({{"records", std::move(records)}});
}

Result<IndexObject> parse_index(std::string_view text) {
    JsonFields in(text, "index");
    IndexObject index;
    const auto* records = in.find("records");
    if (records == nullptr || !records->is_object()) {
        in.fail("'records' is no object");
        return in.finish(std::move(index));
    }
    for (const auto& [name, hash] : records->items()) {
        const auto read = parse_hash(hash.is_string() ? hash.get<std::string>() : "");
        if (!read || !ascii::is_dns_label(name))
            in.fail("a record's name or hash is malformed");
        else
            index.records.emplace_back(name, *read);
    }
    return in.finish(std::move(index));
}

std::string to_json(const Rollout& rollout) {
    return dump(
        {{"fleet", rollout.fleet}, {"index", rollout.index}, {"following", rollout.following}});
}

Result<Rollout> parse_rollout(std::string_view text) {
    JsonFields in(text, "rollout");
    Rollout rollout;
    rollout.fleet = in.parsed("fleet", parse_hash);
    rollout.index = in.list("index", parse_hash);
    rollout.following = in.list("following", parse_label);
    return in.finish(std::move(rollout));
}

std::string to_json(const NodeRecord& record) { return dump(record_json(record)); }
Result<NodeRecord> parse_record(std::string_view text) {
    return read_record(JsonFields(text, "record"));
}

std::string to_json(const Delegation& delegation) {
    json out{{"network", delegation.network},
             {"key", to_string(delegation.key)},
             {"enrolment", to_string(delegation.enrolment)},
             {"tags", delegation.tags},
             {"count", delegation.count},
             {"expires", delegation.expires}};
    put(out, "ipv4", delegation.ipv4);
    put(out, "ipv6", delegation.ipv6);
    return dump(out);
}

Result<Delegation> parse_delegation(std::string_view text) {
    JsonFields in(text, "delegation");
    Delegation delegation;
    delegation.network = in.parsed("network", parse_label);
    delegation.key = in.parsed("key", VerifyKey::parse);
    delegation.enrolment = in.parsed("enrolment", PublicKey::parse);
    delegation.tags = in.texts("tags");
    delegation.ipv4 = in.optional("ipv4", Prefix::parse);
    delegation.ipv6 = in.optional("ipv6", Prefix::parse);
    delegation.count = in.small_number("count");
    delegation.expires = in.time("expires");
    return in.finish(std::move(delegation));
}

std::string to_json(const Admission& admission) {
    return dump({{"network", admission.network},
                 {"delegation", to_string(admission.delegation)},
                 {"record", record_json(admission.record)},
                 {"nonce", admission.nonce},
                 {"mac", admission.mac}});
}

Result<Admission> parse_admission(std::string_view text) {
    JsonFields in(text, "admission");
    Admission admission;
    admission.network = in.parsed("network", parse_label);
    admission.delegation = in.parsed("delegation", VerifyKey::parse);
    admission.nonce = in.text("nonce");
    admission.mac = in.text("mac");
    auto read = read_record(JsonFields::of(in.find("record"), "record"));
    if (!read) return read.error();
    admission.record = *std::move(read);
    return in.finish(std::move(admission));
}

std::string to_json(const Hint& hint) {
    return dump({{"network", hint.network},
                 {"node", hint.node},
                 {"snapshot", hint.snapshot},
                 {"revision", hint.revision},
                 {"time", hint.time},
                 {"status", hint.status},
                 {"rotated", hint.rotated}});
}

Result<Hint> parse_hint(std::string_view text) {
    JsonFields in(text, "hint");
    Hint hint;
    hint.network = in.parsed("network", parse_label);
    hint.node = in.parsed("node", parse_label);
    hint.snapshot = in.parsed("snapshot", parse_previous);
    hint.revision = in.number("revision");
    hint.time = in.time("time");
    hint.status = in.text("status");
    if (in.find("rotated") != nullptr) hint.rotated = in.text("rotated");
    return in.finish(std::move(hint));
}

std::string to_json(const AuditEntry& entry) {
    return dump({{"network", entry.network},
                 {"number", entry.number},
                 {"previous", entry.previous},
                 {"time", entry.time},
                 {"action", entry.action},
                 {"subject", entry.subject},
                 {"snapshot", entry.snapshot}});
}

Result<AuditEntry> parse_audit(std::string_view text) {
    JsonFields in(text, "audit entry");
    AuditEntry entry;
    entry.network = in.parsed("network", parse_label);
    entry.number = in.number("number");
    entry.previous = in.parsed("previous", parse_previous);
    entry.time = in.time("time");
    entry.action = in.text("action");
    entry.subject = in.text("subject");
    entry.snapshot = in.parsed("snapshot", parse_previous);
    return in.finish(std::move(entry));
}

} // namespace wgkit::trust
