// A machine becomes a node.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "agent/follower.hpp"
#include "agent/identity.hpp"
#include "agent/reader.hpp"
#include "crypto/random_id.hpp"
#include "trust/possession.hpp"
#include "trust/token.hpp"
#include "util/ascii.hpp"
#include "util/json_text.hpp"
#include "wgkit/agent.hpp"
#include "wgkit/files.hpp"

namespace wgkit::agent {

namespace {

/// Addresses of a pool are tried in order; a store with this many taken ones is a mistake.
constexpr int max_tries = 5000;

IpAddress next_address(const IpAddress& address) {
    std::array<std::uint8_t, 16> bytes{};
    const auto from = address.bytes();
    std::copy(from.begin(), from.end(), bytes.begin());
    for (std::size_t i = from.size(); i-- > 0;)
        if (++bytes[i] != 0) break;
    return IpAddress::from_bytes(address.family(), {bytes.data(), from.size()});
}

bool is_broadcast(const Prefix& pool, const IpAddress& address) {
    return address.is_v4() && pool.length < 31 && !pool.contains(next_address(address));
}

/// The first free one after the network's own.
Result<std::optional<IpAddress>> free_address(const std::optional<Prefix>& pool,
                                              const std::set<IpAddress>& taken) {
    if (!pool) return std::optional<IpAddress>();
    IpAddress address = pool->masked().address;
    for (int i = 0; i < max_tries; ++i) {
        address = next_address(address);
        if (!pool->contains(address) || is_broadcast(*pool, address)) break;
        if (!taken.contains(address)) return std::optional(address);
    }
    return Error{Errc::conflict,
                 fmt::format("no address is free in the join key's pool {}", to_string(*pool)),
                 "ask for a join key with another pool"};
}

class Joining {
  public:
    Joining(HttpPoster& requests, trust::JoinToken token, const JoinOptions& options)
        : options_(options),
          token_(std::move(token)), layout_{token_.network}, access_{token_.stores,
                                                                     {},
                                                                     token_.user,
                                                                     token_.password},
          follower_(token_.network, token_.root_hash, token_.minimum_revision),
          requests_(requests) {}

    Result<Joined> run() {
        if (auto free = check_not_joined(); !free) return free.error();
        auto keys = load_or_make_keys(options_.folder);
        if (!keys) return keys.error();
        if (auto saved = save_ca(); !saved) return saved.error();
        store::Client client(requests_, access_);
        for (int tries = 0; tries < 20; ++tries) {
            auto revision = read_published(client, layout_, follower_);
            if (!revision) return revision.error();
            if (auto good = follower_.update(options_.now); !good) return good.error();
            if (const auto* mine = find_mine(*keys)) return finish(*mine);
            const auto asked_for = client.get_prefixes({layout_.addresses()});
            if (!asked_for) return asked_for.error();
            auto record = make_record(*keys, *asked_for);
            if (!record) return record.error();
            auto done = ask(client, *record, *keys);
            if (!done) return done.error();
            // Somebody else may have been faster with an address; what was done is found above.
        }
        return Error{Errc::conflict, "others kept taking the addresses", "try again"};
    }

  private:
    Result<void> check_not_joined() const {
        const auto before = load_identity(options_.folder);
        if (!before) {
            if (before.error().code == Errc::not_found) return {};
            return before.error();
        }
        if (before->network == token_.network && before->node == options_.name) return {};
        return Error{Errc::conflict,
                     fmt::format("this machine is already {} in {}", before->node, before->network),
                     fmt::format("remove {} to make it another node", options_.folder)};
    }

    Result<void> save_ca() {
        if (token_.ca.empty()) return {};
        access_.ca_file = options_.folder + "/ca.pem";
        return files::replace(access_.ca_file, token_.ca, 0644);
    }

    const trust::NodeRecord* find_mine(const NodeKeys& keys) {
        nodes_ = follower_.nodes();
        const auto key = public_key(keys.wireguard);
        const auto mine = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& record) {
            return record.key == key && record.name == options_.name;
        });
        return mine != nodes_.end() ? &*mine : nullptr;
    }

    const trust::Delegation* delegation() const {
        const auto key = trust::verify_key(token_.key);
        for (const auto& one : follower_.state()->delegations)
            if (one.key == key) return &one;
        return nullptr;
    }

    Result<trust::NodeRecord> make_record(const NodeKeys& keys,
                                          const store::Snapshot& asked_for) const {
        const auto* bounds = delegation();
        if (bounds == nullptr)
            return Error{Errc::conflict, "the join key is unknown or revoked",
                         "ask the operator for another"};
        if (options_.now >= bounds->expires)
            return Error{Errc::conflict, "the join key has expired",
                         "ask the operator for another; check the clock"};
        trust::NodeRecord record;
        record.name = options_.name;
        record.key = public_key(keys.wireguard);
        record.agent = trust::verify_key(keys.agent);
        record.seal = public_key(keys.seal);
        std::set<IpAddress> taken;
        // Also those of nodes that are gone: others may still know them by it.
        for (const auto& entry : asked_for.entries)
            if (const auto address = IpAddress::parse(
                    std::string_view(entry.key).substr(layout_.addresses().size())))
                taken.insert(*address);
        for (const auto& node : nodes_) {
            if (node.name == record.name)
                return Error{Errc::conflict,
                             fmt::format("the network has a node '{}' already", record.name),
                             {}};
            if (node.ipv4) taken.insert(*node.ipv4);
            if (node.ipv6) taken.insert(*node.ipv6);
        }
        auto ipv4 = free_address(bounds->ipv4, taken);
        if (!ipv4) return ipv4.error();
        auto ipv6 = free_address(bounds->ipv6, taken);
        if (!ipv6) return ipv6.error();
        record.ipv4 = *ipv4;
        record.ipv6 = *ipv6;
        if (!options_.endpoint.empty())
            record.fields = json_text::dump(nlohmann::json{{"endpoint", options_.endpoint}});
        return record;
    }

    Result<void> ask(store::Client& client, const trust::NodeRecord& record, const NodeKeys& keys) {
        trust::Admission admission;
        admission.network = token_.network;
        admission.delegation = trust::verify_key(token_.key);
        admission.record = record;
        admission.nonce = crypto::random_id();
        auto mac = trust::possession_mac(admission, *delegation(), keys.wireguard);
        if (!mac) return mac.error();
        admission.mac = *mac;
        const std::array signer{&token_.key};
        const auto envelope =
            trust::seal_document(std::string(trust::type::admission), to_json(admission), signer);
        // As every node will judge it: what they would refuse is not even asked for.
        auto stored = follower_.admissions();
        stored.push_back({record.name, to_text(envelope)});
        const auto judged = trust::admit(*follower_.state(), stored, options_.now);
        const bool is_good = std::any_of(judged.records.begin(), judged.records.end(),
                                         [&](const auto& one) { return one.key == record.key; });
        if (!is_good && !judged.refused.empty()) return judged.refused.back().error;

        store::Transaction change;
        const std::string path = layout_.admission(key_id(admission.delegation), record.name);
        change.unchanged = {{path, 0}};
        change.puts = {{path, to_text(envelope)}};
        for (const auto& address : {record.ipv4, record.ipv6}) {
            if (!address) continue;
            const std::string key = layout_.address(to_string(*address));
            change.unchanged.emplace_back(key, 0);
            change.puts.emplace_back(key, record.name);
        }
        auto done = client.commit(change);
        if (!done) return done.error();
        return {};
    }

    Result<Joined> finish(const trust::NodeRecord& mine) const {
        Identity identity;
        identity.network = token_.network;
        identity.node = mine.name;
        identity.join_key = key_id(trust::verify_key(token_.key));
        identity.root_hash = token_.root_hash;
        identity.minimum_revision = follower_.position().revision;
        identity.access = access_;
        if (auto saved = save_identity(options_.folder, identity); !saved) return saved.error();
        Joined joined{token_.network, mine.name, {}};
        for (const auto& address : {mine.ipv4, mine.ipv6})
            if (address) joined.addresses.push_back(to_string(*address));
        return joined;
    }

    const JoinOptions& options_;
    trust::JoinToken token_;
    store::Layout layout_;
    store::Access access_;
    Follower follower_;
    HttpPoster& requests_;
    std::vector<trust::NodeRecord> nodes_;
};

} // namespace

Result<Joined> join(HttpPoster& requests, std::string_view text, const JoinOptions& options) {
    if (!ascii::is_dns_label(options.name))
        return Error{Errc::invalid, fmt::format("'{}' is no name for a node", options.name),
                     "letters, digits and inner hyphens"};
    if (!options.endpoint.empty())
        if (auto endpoint = Endpoint::parse(options.endpoint); !endpoint) return endpoint.error();
    auto token = trust::parse_token(text);
    if (!token) return token.error();
    return Joining(requests, *std::move(token), options).run();
}

} // namespace wgkit::agent
