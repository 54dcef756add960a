#include "fleet/record.hpp"

#include <fmt/format.h>

#include "common/json.hpp"
#include "fleet/common.hpp"
#include "util/file_lock.hpp"
#include "wgkit/files.hpp"

namespace wgkit::tool::fleet {

namespace {

std::string folder_beside(const std::string& nodes) {
    const auto slash = nodes.rfind('/');
    return (slash == nodes.npos ? std::string() : nodes.substr(0, slash + 1)) + "fleet";
}

template <class List>
Json texts(const List& values) {
    Json list = Json::array();
    for (const auto& value : values) list.push_back(to_string(value));
    return list;
}

std::vector<PublicKey> keys_in(const Json& json) {
    std::vector<PublicKey> keys;
    for (const auto& one : json)
        if (one.is_string())
            if (auto key = PublicKey::parse(one.get_ref<const std::string&>()))
                keys.push_back(*key);
    return keys;
}

} // namespace

Result<Record> Record::open(const std::string& nodes) {
    Record record;
    record.folder_ = folder_beside(nodes);
    const auto path = record.folder_ + "/state.json";
    const auto text = files::read(path);
    if (!text && text.error().code == Errc::not_found) return record;
    if (!text) return text.error();
    const auto json = Json::parse(text->begin(), text->end(), nullptr, false);
    if (!json.is_object() || json.value("schema", 0) != 1)
        return Error{Errc::invalid, fmt::format("{} is not what wgkit fleet writes", path),
                     "restore it from a backup; it holds which nodes have still to be reached"};
    const Json waiting = json.value("pending", Json::object());
    for (const auto& [name, what] : waiting.items())
        if (what.is_string()) record.pending[name] = what.get<std::string>();
    for (const auto& one : json.value("revocations", Json::array())) {
        Revocation revocation{one.value("node", ""), keys_in(one.value("keys", Json::array())), {}};
        for (const auto& name : one.value("pending", Json::array()))
            if (name.is_string()) revocation.pending.push_back(name.get<std::string>());
        record.revocations.push_back(std::move(revocation));
    }
    for (const auto& name : json.value("rotating", Json::array()))
        if (name.is_string()) record.rotating.push_back(name.get<std::string>());
    for (const auto& name : json.value("toRotate", Json::array()))
        if (name.is_string()) record.to_rotate.push_back(name.get<std::string>());
    for (const auto& one : json.value("agreed", Json::array()))
        if (auto key = PublicKey::parse(one.value("key", "")))
            record.agreed.push_back({one.value("network", ""), one.value("node", ""), *key});
    record.revoked = keys_in(json.value("revoked", Json::array()));
    return record;
}

Result<Record> Record::lock(const std::string& nodes) {
    const auto folder = folder_beside(nodes);
    if (auto made = files::make_folders(folder, 0755); !made) return std::move(made).error();
    auto held = lock_existing(folder, Waiting::no);
    if (!held && held.error().code != Errc::conflict) return held.error();
    if (!held)
        return Error{Errc::conflict, fmt::format("another wgkit fleet is at work on {}", nodes),
                     "wait until it is done"};
    auto record = open(nodes);
    if (record) record->lock_ = *std::move(held);
    return record;
}

Result<void> Record::save() const {
    Json list = Json::array();
    for (const auto& one : revocations)
        list.push_back({{"node", one.node}, {"keys", texts(one.keys)}, {"pending", one.pending}});
    Json keys = Json::array();
    for (const auto& one : agreed)
        keys.push_back({{"network", one.network}, {"node", one.node}, {"key", to_string(one.key)}});
    const Json json{{"agreed", std::move(keys)}, {"schema", 1},
                    {"pending", pending},        {"revocations", std::move(list)},
                    {"rotating", rotating},      {"toRotate", to_rotate},
                    {"revoked", texts(revoked)}};
    return files::replace(folder_ + "/state.json", json.dump(2) + "\n", 0644);
}

Result<void> Record::log(const std::string& action, const std::vector<std::string>& nodes,
                         const std::string& result, const std::string& detail) const {
    wgkit::fleet::LogEntry entry;
    entry.who = operator_name();
    entry.action = action;
    entry.nodes = nodes;
    entry.result = result;
    entry.detail = detail;
    auto added = append_log(log_path(), std::move(entry));
    if (!added) return added.error();
    return {};
}

} // namespace wgkit::tool::fleet
