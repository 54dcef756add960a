// A store is given its first root.
#include <fmt/format.h>

#include "operator/home.hpp"
#include "operator/users.hpp"
#include "trust/envelope.hpp"
#include "util/ascii.hpp"
#include "wgkit/files.hpp"
#include "wgkit/fleet_store.hpp"

namespace wgkit::agent {

namespace {

constexpr std::int64_t root_valid_for = 10LL * 365 * 86'400;

Result<trust::SigningKey> signing_key_at(const std::string& path) {
    auto before = load_signing_key(path);
    if (before || before.error().code != Errc::not_found) return before;
    auto key = trust::generate_signing_key();
    if (auto made = files::create(path, trust::reveal_base64(key) + "\n", 0600); !made)
        return made.error();
    return key;
}

/// The root's text, made once: a second run publishes the same.
Result<std::string> root_at(const std::string& path, const StoreOptions& options,
                            const trust::SigningKey& op, const trust::SigningKey& recovery,
                            std::int64_t now) {
    const auto before = files::read(path);
    if (before) return std::string(*before);
    if (before.error().code != Errc::not_found) return before.error();
    trust::Root root;
    root.network = options.network;
    root.keys = {trust::verify_key(op)};
    root.recovery = {trust::verify_key(recovery)};
    root.expires = now + root_valid_for;
    const std::array signer{&op};
    std::string text =
        to_text(trust::seal_document(std::string(trust::type::root), to_json(root), signer));
    if (auto made = files::create(path, text, 0644); !made) return made.error();
    return text;
}

} // namespace

Result<void> init_store(const Operator& op, const StoreOptions& options) {
    if (!ascii::is_dns_label(options.network))
        return Error{Errc::invalid, fmt::format("'{}' is no network", options.network), {}};
    Home home;
    home.folder = op.home;
    home.network = options.network;
    home.url = options.url;
    home.access.ca_file = options.ca_file;
    auto members = store::parse_store_url(options.url);
    if (!members) return members.error();
    home.access.members = *std::move(members);
    if (!options.password.empty()) {
        home.access.user = "root";
        home.access.password = options.password;
    }
    if (auto made = files::make_folders(home.folder + "/enrolment", 0700); !made) return made;
    const auto key = signing_key_at(home.key_path());
    if (!key) return key.error();
    const auto recovery = signing_key_at(home.recovery_path());
    if (!recovery) return recovery.error();
    const auto root = root_at(home.folder + "/root.json", options, *key, *recovery, op.now);
    if (!root) return root.error();
    const auto envelope = trust::parse_envelope(*root);
    if (!envelope) return envelope.error();
    home.root_hash = trust::hash_of(envelope->payload);
    if (auto known = trust::first_root(*root, options.network, home.root_hash); !known)
        return known.error();

    if (!home.access.user.empty()) {
        store::Access nobody = home.access;
        nobody.user.clear();
        store::Client anonymous(op.requests, std::move(nobody));
        if (auto enabled = enable_users(anonymous, home.access.password); !enabled) return enabled;
    }
    store::Client client(op.requests, home.access);
    const store::Layout layout{home.network};
    store::Transaction change;
    change.unchanged = {{layout.root(1), 0}};
    change.puts = {{layout.root(1), *root}};
    const auto done = client.commit(change);
    if (!done) return done.error();
    if (!done->done) {
        const auto there = client.get(layout.root(1));
        if (!there) return there.error();
        const auto* found = there->find(layout.root(1));
        if (found == nullptr || found->value != *root)
            return Error{Errc::exists,
                         fmt::format("the store already has a network '{}' of other operators",
                                     options.network),
                         "use their folder, or another network's name"};
    }
    return save_home(home);
}

} // namespace wgkit::agent
