#include "mesh/custody.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wgkit::mesh {

namespace {

Error would_make(const std::string& what) {
    return {Errc::conflict,
            fmt::format("{} would have to be made, but --locked allows nothing new", what),
            "run `wgkit mesh render` without --locked and commit the lock"};
}

void enter(LockedNode& locked, const PublicKey& key, Date today) {
    if (locked.key == key) return;
    locked.key = key;
    ++locked.generation;
    locked.keyed = today;
}

/// The private key of one node, made if that is allowed.
Result<std::optional<PrivateKey>> obtain(const Node& node, LockedNode& locked,
                                         const KeyStore& store, bool may_create, Date today,
                                         KeyChanges& changes) {
    const std::string& name = node.name.value;
    auto key = store.load_key(name);
    if (!key) return key;
    if (!*key && locked.key)
        return Error{
            Errc::not_found,
            fmt::format("the private key of {} is missing: {}", name, store.key_path(name)),
            fmt::format("restore it from a backup, or make a new one with `wgkit mesh "
                        "rekey {}`",
                        name)};
    if (!*key) {
        if (!may_create) return would_make(fmt::format("a key for {}", name));
        if (changes.created == 0)
            if (auto ready = store.prepare(); !ready) return std::move(ready).error();
        PrivateKey fresh = generate_private_key();
        if (auto created = store.create_key(name, fresh); !created)
            return std::move(created).error();
        ++changes.created;
        *key = std::move(fresh);
    }
    const PublicKey known = public_key(**key);
    const auto& wanted = node.public_key;
    if ((locked.key && *locked.key != known) || (wanted && wanted->value != known))
        return Error{Errc::conflict,
                     fmt::format("{} does not belong to the public key of {} in the {}",
                                 store.key_path(name), name,
                                 wanted && wanted->value != known ? "inventory" : "lock"),
                     "restore the right file; a new key is made only by `wgkit mesh rekey`"};
    enter(locked, known, today);
    return key;
}

Result<std::optional<PskMaster>> obtain_master(const LockedNetwork& lock, const KeyStore& store,
                                               bool may_create) {
    std::uint32_t oldest = 0xFFFFFFFF;
    std::uint32_t newest = 1;
    for (const auto& node : lock.nodes) {
        oldest = std::min(oldest, node.psk_epoch);
        newest = std::max(newest, node.psk_epoch);
    }
    auto master = store.load_master();
    if (!master) return master;
    if (*master) {
        if (!lock.nodes.empty() && (*master)->first_epoch() > oldest)
            return Error{Errc::conflict,
                         fmt::format("{} starts at epoch {}, but the lock has nodes on epoch {}",
                                     store.master_path(), (*master)->first_epoch(), oldest),
                         "restore the file that belongs to this lock"};
        return master;
    }
    // The lock cannot tell whether a master was lost or never made, but an epoch above 1 can.
    if (newest > 1)
        return Error{Errc::not_found,
                     fmt::format("the PSK master is missing: {}", store.master_path()),
                     "restore it from a backup, or start anew with `wgkit mesh rekey --psk "
                     "--reseed`"};
    if (!may_create) return would_make("the PSK master");
    if (auto ready = store.prepare(); !ready) return std::move(ready).error();
    PskMaster fresh = PskMaster::generate();
    if (auto created = store.create_master(fresh); !created) return std::move(created).error();
    return std::optional(std::move(fresh));
}

bool uses_pair_keys(const Network& network) {
    return std::any_of(network.nodes.begin(), network.nodes.end(), [](const Node& node) {
        return node.psk == PskMode::per_pair
               || std::any_of(node.peers.begin(), node.peers.end(), [](const PeerOverride& peer) {
                      return peer.psk == PskMode::per_pair;
                  });
    });
}

} // namespace

bool keeps_key_here(const Node& node) { return node.managed && node.keys == Custody::local; }

Result<NetworkSecrets> make_keys(const Network& network, LockedNetwork& lock, const KeyStore& store,
                                 bool locked, Date today, KeyChanges& changes) {
    NetworkSecrets secrets;
    KeyChanges here; // of this network, whose folder is made with its first key
    for (const auto& node : network.nodes) {
        LockedNode& line = *lock.find(node.name.value);
        auto& key = secrets.keys.emplace_back();
        if (keeps_key_here(node)) {
            auto obtained = obtain(node, line, store, !locked, today, here);
            if (!obtained) return std::move(obtained).error();
            key = std::move(*obtained);
        } else if (node.public_key) {
            enter(line, node.public_key->value, today);
        }
    }
    if (uses_pair_keys(network)) {
        auto master = obtain_master(lock, store, !locked);
        if (!master) return std::move(master).error();
        secrets.master = std::move(*master);
        auto pairs = store.load_pairs();
        if (!pairs) return std::move(pairs).error();
        secrets.pairs = std::move(*pairs);
    }
    changes.created += here.created;
    if (here.created != 0)
        if (auto synced = store.sync(); !synced) return std::move(synced).error();
    return secrets;
}

} // namespace wgkit::mesh
