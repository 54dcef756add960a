#include "operator/users.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "store/wire.hpp"
#include "trust/signing.hpp"
#include "wgkit/keys.hpp"

namespace wgkit::agent {

using nlohmann::json;

namespace {

/// A call whose work may have been done by a run that was killed.
Result<void> call(store::Client& client, std::string_view path, const json& body) {
    std::string text = body.dump();
    const auto done = client.call(path, text);
    wipe(text.data(), text.size());
    if (!done && done.error().code != Errc::exists) return done.error();
    return {};
}

Result<void> grant(store::Client& client, const std::string& role, const char* kind,
                   const std::string& prefix, bool exact = false) {
    json permission{{"permType", kind}, {"key", trust::to_base64(prefix)}};
    if (!exact) permission["range_end"] = trust::to_base64(store::wire::range_end(prefix));
    return call(client, "/v3/auth/role/grant", {{"name", role}, {"perm", permission}});
}

/// User and role have the same name. An old user of that name has a password that nobody knows.
Result<void> make_user(store::Client& client, const std::string& name, std::string_view password) {
    if (auto gone = remove_user(client, name); !gone) return gone;
    if (auto made = call(client, "/v3/auth/role/add", {{"name", name}}); !made) return made;
    if (auto made = call(client, "/v3/auth/user/add",
                         {{"name", name}, {"password", std::string(password)}});
        !made)
        return made;
    return call(client, "/v3/auth/user/grant", {{"user", name}, {"role", name}});
}

} // namespace

Result<void> enable_users(store::Client& client, std::string_view password) {
    auto made =
        call(client, "/v3/auth/user/add", {{"name", "root"}, {"password", std::string(password)}});
    // Refused to those who have not logged in: then it is on, and the password will tell.
    if (!made && made.error().code == Errc::permission) return {};
    if (!made) return made;
    if (auto role = call(client, "/v3/auth/role/add", {{"name", "root"}}); !role) return role;
    if (auto granted = call(client, "/v3/auth/user/grant", {{"user", "root"}, {"role", "root"}});
        !granted)
        return granted;
    return call(client, "/v3/auth/enable", json::object());
}

Result<void> make_join_user(store::Client& client, const store::Layout& layout,
                            const std::string& key_id, std::string_view password) {
    const std::string name = layout.join_user(key_id);
    if (auto made = make_user(client, name, password); !made) return made;
    for (const auto& prefix : {layout.published(), layout.admissions(), layout.secrets()})
        if (auto may = grant(client, name, "READ", prefix); !may) return may;
    for (const auto& prefix :
         {layout.admission(key_id, ""), layout.addresses(), layout.hint_of_joined(key_id)})
        if (auto may = grant(client, name, "READWRITE", prefix); !may) return may;
    return {};
}

Result<void> make_node_user(store::Client& client, const store::Layout& layout,
                            const std::string& node, std::string_view password) {
    const std::string name = layout.node_user(node);
    if (auto made = make_user(client, name, password); !made) return made;
    for (const auto& prefix : {layout.published(), layout.admissions()})
        if (auto may = grant(client, name, "READ", prefix); !may) return may;
    if (auto may = grant(client, name, "READ", layout.secret(node), true); !may) return may;
    if (auto may = grant(client, name, "READWRITE", layout.renewal(node), true); !may) return may;
    return grant(client, name, "READWRITE", layout.hint_of_node(node), true);
}

Result<void> remove_user(store::Client& client, const std::string& user) {
    const auto gone = client.call("/v3/auth/user/delete", json{{"name", user}}.dump());
    if (!gone && gone.error().code != Errc::not_found) return gone.error();
    const auto role = client.call("/v3/auth/role/delete", json{{"role", user}}.dump());
    if (!role && role.error().code != Errc::not_found) return role.error();
    return {};
}

SecretString make_password() { return reveal_base64(generate_preshared_key()); }

} // namespace wgkit::agent
