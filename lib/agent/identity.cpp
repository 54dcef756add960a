#include "agent/identity.hpp"

#include <fmt/format.h>

#include "trust/json_fields.hpp"
#include "util/ascii.hpp"
#include "util/json_text.hpp"
#include "wgkit/files.hpp"

namespace wgkit::agent {

namespace {

Error with_path(Error error, const std::string& path) {
    error.message = fmt::format("{}: {}", path, error.message);
    return error;
}

/// A key file, or a new key that is on disk before anybody hears of it.
template <class Key, class Parse>
Result<Key> load_or_make(const std::string& path, Parse parse, Key (*make)()) {
    auto text = files::read_secret(path);
    if (text) {
        auto key = parse(ascii::trim(*text));
        if (!key) return with_path(key.error(), path);
        return key;
    }
    if (text.error().code != Errc::not_found) return text.error();
    Key key = make();
    if (auto made = files::create(path, reveal_base64(key) + "\n", 0600); !made)
        return made.error();
    return key;
}

std::string path_of_identity(const std::string& folder) { return folder + "/agent.json"; }
/// One for each user, so that a change of users is the replacement of one file.
std::string path_of_password(const std::string& folder, const std::string& user) {
    return fmt::format("{}/{}.password", folder, user);
}

} // namespace

Result<NodeKeys> load_or_make_keys(const std::string& folder) {
    if (auto made = files::make_folders(folder, 0700); !made) return made.error();
    auto wireguard = load_or_make<PrivateKey>(folder + "/wireguard.key", parse_private_key,
                                              generate_private_key);
    if (!wireguard) return wireguard.error();
    auto seal =
        load_or_make<PrivateKey>(folder + "/seal.key", parse_private_key, generate_private_key);
    if (!seal) return seal.error();
    auto agent = load_or_make<trust::SigningKey>(folder + "/agent.key", trust::parse_signing_key,
                                                 trust::generate_signing_key);
    if (!agent) return agent.error();
    return NodeKeys{*std::move(wireguard), *std::move(seal), *std::move(agent)};
}

Result<void> save_wireguard_key(const std::string& folder, const PrivateKey& key) {
    return files::replace(folder + "/wireguard.key", reveal_base64(key) + "\n", 0600);
}

Result<Identity> load_identity(const std::string& folder) {
    const std::string path = path_of_identity(folder);
    const auto text = files::read(path);
    if (!text) {
        auto error = text.error();
        if (error.code == Errc::not_found)
            error.hint = "`wgkit agent join` makes this machine a node";
        return error;
    }
    trust::JsonFields in(*text, path);
    Identity identity;
    identity.network = in.text("network");
    identity.node = in.text("node");
    identity.join_key = in.text("join_key");
    identity.root_hash = in.text("root");
    identity.minimum_revision = in.number("revision");
    identity.access.members = in.texts("stores");
    identity.access.ca_file = in.text("ca_file");
    identity.access.user = in.text("user");
    if (identity.access.user.find('/') != std::string::npos) in.fail("'user' is no name");
    if (!identity.access.user.empty()) {
        auto password = files::read_secret(path_of_password(folder, identity.access.user));
        if (!password) return password.error();
        identity.access.password = SecretString(ascii::trim(*password));
    }
    return in.finish(std::move(identity));
}

Result<void> save_identity(const std::string& folder, const Identity& identity) {
    if (!identity.access.user.empty())
        if (auto saved = files::replace(path_of_password(folder, identity.access.user),
                                        identity.access.password + "\n", 0600);
            !saved)
            return saved;
    const std::string text = json_text::dump(nlohmann::json{{"schema", 1},
                                                            {"network", identity.network},
                                                            {"node", identity.node},
                                                            {"join_key", identity.join_key},
                                                            {"root", identity.root_hash},
                                                            {"revision", identity.minimum_revision},
                                                            {"stores", identity.access.members},
                                                            {"ca_file", identity.access.ca_file},
                                                            {"user", identity.access.user}},
                                             2)
                             + "\n";
    return files::replace(path_of_identity(folder), text, 0600);
}

} // namespace wgkit::agent
