// Join keys: made, and revoked.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "operator/draft.hpp"
#include "operator/users.hpp"
#include "trust/token.hpp"
#include "util/ascii.hpp"
#include "wgkit/files.hpp"
#include "wgkit/fleet_store.hpp"

namespace wgkit::agent {

namespace {

Result<void> check_pool(const trust::FleetObject& fleet, const char* family,
                        const std::optional<Prefix>& pool) {
    if (!pool) return {};
    const auto yaml = nlohmann::json::parse(fleet.nodes_yaml, nullptr, false);
    const auto network = yaml.find("network");
    const auto text = network != yaml.end() ? network->value(family, "") : std::string();
    const auto whole = Prefix::parse(text);
    if (whole && whole->contains(*pool)) return {};
    return Error{Errc::invalid,
                 fmt::format("the pool {} is not inside of the network's {}", to_string(*pool),
                             text.empty() ? "(none)" : text),
                 {}};
}

Result<std::string> read_ca(const store::Access& access) {
    if (access.ca_file.empty()) return std::string();
    const auto text = files::read(access.ca_file);
    if (!text) return text.error();
    return std::string(*text);
}

} // namespace

Result<JoinKey> make_join_key(const Operator& op, const JoinKeyOptions& options) {
    const auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    auto draft = Draft::open(*home, client, op.now);
    if (!draft) return draft.error();
    if (draft->is_first())
        return Error{Errc::conflict, "nothing was published yet",
                     "run `wgkit store publish` first"};
    if (!options.ipv4 && !options.ipv6)
        return Error{Errc::invalid, "a join key needs a pool of addresses", {}};
    for (const auto& tag : options.tags)
        if (!ascii::is_dns_label(tag))
            return Error{Errc::invalid, fmt::format("'{}' is no tag", tag), {}};
    if (auto good = check_pool(draft->fleet, "ipv4", options.ipv4); !good) return good.error();
    if (auto good = check_pool(draft->fleet, "ipv6", options.ipv6); !good) return good.error();

    auto key = trust::generate_signing_key();
    const PrivateKey enrolment = generate_private_key();
    trust::Delegation delegation;
    delegation.network = home->network;
    delegation.key = trust::verify_key(key);
    delegation.enrolment = public_key(enrolment);
    delegation.tags = options.tags;
    delegation.ipv4 = options.ipv4;
    delegation.ipv6 = options.ipv6;
    delegation.count = options.count;
    delegation.expires = op.now + options.valid_for;
    const std::string id = key_id(delegation.key);
    auto ca = read_ca(home->access);
    if (!ca) return ca.error();

    // The keys first: a join key that nobody has is harmless, one that nobody can check is not.
    if (auto saved = files::create(home->enrolment_path(id), reveal_base64(enrolment) + "\n", 0600);
        !saved)
        return saved.error();
    const store::Layout layout{home->network};
    trust::JoinToken token{.network = home->network,
                           .root_hash = home->root_hash,
                           .stores = home->access.members,
                           .ca = *ca,
                           .user = {},
                           .password = {},
                           .key = key.clone()};
    if (!home->access.user.empty()) {
        token.user = layout.join_user(id);
        token.password = make_password();
        if (auto made = make_join_user(client, layout, id, token.password); !made)
            return made.error();
    }
    draft->delegations.push_back(delegation);
    const auto revision = draft->publish("joinkey", id, op.valid_for);
    if (!revision) return revision.error();
    token.minimum_revision = *revision;
    return JoinKey{id, to_text(token)};
}

Result<void> revoke_join_key(const Operator& op, const std::string& id) {
    const auto home = load_home(op.home);
    if (!home) return home.error();
    store::Client client(op.requests, home->access);
    auto draft = Draft::open(*home, client, op.now);
    if (!draft) return draft.error();
    const auto count =
        std::erase_if(draft->delegations, [&](const auto& one) { return key_id(one.key) == id; });
    if (count == 0)
        return Error{Errc::not_found, fmt::format("there is no join key {}", id),
                     "`wgkit store status` lists them"};
    const auto revision = draft->publish("revoke-joinkey", id, op.valid_for);
    if (!revision) return revision.error();
    if (home->access.user.empty()) return {};
    return remove_user(client, store::Layout{home->network}.join_user(id));
}

} // namespace wgkit::agent
