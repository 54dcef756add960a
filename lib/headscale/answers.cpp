// Answers of Headscale's API as data. Only named members are kept: the list of nodes holds live
// pre-auth keys, which are skipped while the text is read.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "util/hex_key.hpp"
#include "util/json_text.hpp"
#include "util/rfc3339.hpp"
#include "wgkit/headscale.hpp"

namespace wgkit::headscale {

namespace {

using Json = nlohmann::json;

/// The document without pre-auth keys; discarded if it is none, too deep, or no object.
Json parse_object(std::string_view text) {
    constexpr int deepest = 16;
    bool too_deep = false;
    const auto keep = [&](int depth, Json::parse_event_t event, Json& parsed) {
        if (depth > deepest) too_deep = true;
        return event != Json::parse_event_t::key || parsed != "preAuthKey";
    };
    Json root = Json::parse(text, keep, false); // no exceptions: their texts quote input
    return too_deep || !root.is_object() ? Json(Json::value_t::discarded) : root;
}

std::string text_of(const Json& object, const char* key) {
    const auto at = object.find(key);
    if (at == object.end()) return {};
    if (at->is_number_unsigned()) return std::to_string(at->get<std::uint64_t>());
    return at->is_string() ? at->get<std::string>() : std::string();
}

bool flag_of(const Json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_boolean() && at->get<bool>();
}

/// A time; none for null, and for the year 1, which stands for "never" in rows of old versions.
std::optional<Time> time_of(const Json& object, const char* key) {
    const auto time = from_rfc3339(text_of(object, key));
    return time && time->time_since_epoch().count() > 0 ? time : std::nullopt;
}

std::optional<PublicKey> key_of(std::string_view text) {
    constexpr std::string_view prefix = "nodekey:";
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
    PublicKey key;
    if (!read_hex(text, key.bytes)) return std::nullopt;
    return key;
}

bool has(const std::vector<std::string>& list, const std::string& one) {
    return std::find(list.begin(), list.end(), one) != list.end();
}

Node read_node(const Json& from) {
    Node node;
    node.id = text_of(from, "id");
    node.name = text_of(from, "givenName");
    if (node.name.empty()) node.name = text_of(from, "name");
    for (const char* owner : {"user", "namespace"}) // the latter before 0.19
        if (const auto at = from.find(owner); at != from.end() && at->is_object())
            node.user = text_of(*at, "name");
    node.key = key_of(text_of(from, "nodeKey"));
    node.addresses = texts_of(from, "ipAddresses");
    for (const char* list : {"tags", "forcedTags", "validTags"})
        for (auto tag : texts_of(from, list)) {
            if (tag.starts_with("tag:")) tag.erase(0, 4);
            if (!has(node.tags, tag)) node.tags.push_back(std::move(tag));
        }
    node.online = flag_of(from, "online");
    node.last_seen = time_of(from, "lastSeen");
    node.expiry = time_of(from, "expiry");
    node.created = time_of(from, "createdAt");
    const auto available = texts_of(from, "availableRoutes"),
               served = texts_of(from, "subnetRoutes");
    for (auto& prefix : texts_of(from, "approvedRoutes"))
        node.routes.push_back({prefix, has(available, prefix), has(served, prefix)});
    return node;
}

/// The array of a wrapper object.
const Json* list_of(const Json& root, std::initializer_list<const char*> names) {
    if (root.is_discarded()) return nullptr;
    for (const char* name : names)
        if (const auto at = root.find(name); at != root.end() && at->is_array()) return &*at;
    // Old versions leave out what is empty.
    static const Json none = Json::array();
    return root.empty() ? &none : nullptr;
}

Error other_form(std::string_view of) {
    return {Errc::invalid, "the answer is no " + std::string(of) + " of Headscale",
            "is the URL that of a Headscale server, without a path?"};
}

} // namespace

Result<std::vector<Node>> parse_nodes(std::string_view json) {
    const Json root = parse_object(json);
    const Json* list = list_of(root, {"nodes", "machines"});
    if (list == nullptr) return other_form("list of nodes");
    std::vector<Node> nodes;
    for (const auto& one : *list) {
        if (!one.is_object()) return other_form("list of nodes");
        nodes.push_back(read_node(one));
        if (nodes.back().id.empty() || nodes.back().name.empty())
            return other_form("list of nodes");
    }
    return nodes;
}

Result<void> add_routes(std::string_view json, std::vector<Node>& nodes) {
    const Json root = parse_object(json);
    const Json* list = list_of(root, {"routes"});
    if (list == nullptr) return other_form("list of routes");
    for (const auto& one : *list) {
        if (!one.is_object() || !flag_of(one, "enabled")) continue;
        std::string id;
        for (const char* owner : {"node", "machine"})
            if (const auto at = one.find(owner); at != one.end() && at->is_object())
                id = text_of(*at, "id");
        Route route{text_of(one, "prefix"), flag_of(one, "advertised"), flag_of(one, "isPrimary")};
        for (auto& node : nodes) {
            if (node.id != id) continue;
            // Exit routes have no primary: each node that is there serves its own.
            const bool is_exit = route.prefix == "0.0.0.0/0" || route.prefix == "::/0";
            if (is_exit) route.served = route.advertised && node.online;
            node.routes.push_back(route);
        }
    }
    return {};
}

Result<std::optional<Time>> parse_key_expiry(std::string_view json, std::string_view key) {
    // "PREFIX.SECRET", since 0.28 "hskey-api-PREFIX-SECRET"; lists may show more than the prefix.
    constexpr std::string_view new_form = "hskey-api-";
    std::string_view prefix = key.substr(0, key.find('.'));
    if (key.starts_with(new_form)) {
        prefix = key.substr(new_form.size());
        prefix = prefix.substr(0, std::min<std::size_t>(12, prefix.find('-')));
    }
    const Json root = parse_object(json);
    const Json* list = list_of(root, {"apiKeys"});
    if (list == nullptr) return other_form("list of API keys");
    for (const auto& one : *list) {
        if (!one.is_object()) continue;
        const std::string shown = text_of(one, "prefix");
        const bool is_it = !prefix.empty() && shown.find(prefix) != std::string::npos;
        if (is_it) return time_of(one, "expiration");
    }
    return std::optional<Time>();
}

} // namespace wgkit::headscale
