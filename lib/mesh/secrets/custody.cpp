#include "mesh/secrets/custody.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "util/parallel.hpp"

namespace wgkit::mesh {

namespace {

constexpr const char* render_first = "run `wgkit mesh render` first: it makes the keys";

Error missing_key(const std::string& name, const KeyStore& store) {
    return {Errc::not_found,
            fmt::format("the private key of {} is missing: {}", name, store.key_path(name)),
            fmt::format("restore it from a backup, or make a new one with `wgkit mesh rekey {}`",
                        name)};
}

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

/// A private key with the public one, which takes a multiplication to find.
struct Pair {
    PrivateKey key;
    PublicKey known;

    explicit Pair(PrivateKey k) : key(std::move(k)), known(public_key(key)) {}
};

/// A rekey that was killed after it wrote the lock: its staged key is the key.
Result<std::optional<Pair>> finish_rekey(const std::string& name, const PublicKey& wanted,
                                         const KeyStore& store, KeyPolicy policy) {
    auto staged = store.load_staged_key(name);
    if (!staged) return std::move(staged).error();
    if (!*staged) return std::optional<Pair>();
    Pair pair(std::move(**staged));
    if (pair.known != wanted) return std::optional<Pair>();
    if (policy != KeyPolicy::peek)
        if (auto moved = store.adopt_staged_key(name); !moved) return std::move(moved).error();
    return std::optional(std::move(pair));
}

struct Obtained {
    std::optional<PrivateKey> key; ///< nothing if there is none to peek at
    bool is_new = false;           ///< made now: to be stored
};

/// The private key of one node, made if that is allowed.
Result<Obtained> obtain(const Node& node, LockedNode& locked, const KeyStore& store,
                        const KeyOptions& options) {
    const std::string& name = node.name.value;
    auto loaded = store.load_key(name);
    if (!loaded) return std::move(loaded).error();
    std::optional<Pair> pair;
    if (*loaded) pair.emplace(std::move(**loaded));
    if (locked.key && (!pair || pair->known != *locked.key)) {
        auto staged = finish_rekey(name, *locked.key, store, options.policy);
        if (!staged) return std::move(staged).error();
        if (*staged) pair = std::move(*staged);
        if (!pair) return missing_key(name, store);
    }
    const bool is_new = !pair;
    if (is_new) {
        if (options.policy == KeyPolicy::peek) return Obtained{};
        if (options.policy == KeyPolicy::locked)
            return would_make(fmt::format("a key for {}", name));
        pair.emplace(generate_private_key());
    }
    const auto& wanted = node.public_key;
    const bool not_wanted = wanted && wanted->value != pair->known;
    if ((locked.key && *locked.key != pair->known) || not_wanted)
        return Error{Errc::conflict,
                     fmt::format("{} does not belong to the public key of {} in the {}",
                                 store.key_path(name), name, not_wanted ? "inventory" : "lock"),
                     "restore the right file; a new key is made only by `wgkit mesh rekey`"};
    enter(locked, pair->known, options.today);
    return Obtained{std::move(pair->key), is_new};
}

constexpr const char* restore_master =
    "restore it from a backup, or start anew with `wgkit mesh rekey --psk --reseed`";

Result<std::optional<PskMaster>> obtain_master(LockedNetwork& lock, const KeyStore& store,
                                               const KeyOptions& options) {
    auto master = load_master(lock, store);
    if (!master) return master;
    if (!*master) {
        if (options.policy == KeyPolicy::locked) return would_make("the PSK master");
        *master = PskMaster::generate();
        if (options.policy == KeyPolicy::peek) return master;
        if (auto ready = store.prepare(); !ready) return std::move(ready).error();
        if (auto created = store.create_master(**master); !created)
            return std::move(created).error();
    }
    if (options.policy == KeyPolicy::make) enter_master(lock, **master, options.today);
    return master;
}

} // namespace

PskEpochs epochs_of(const LockedNetwork& lock) {
    PskEpochs epochs{lock.name, 0xFFFFFFFF, 1, 0};
    for (const auto& node : lock.nodes) {
        epochs.oldest = std::min(epochs.oldest, node.psk_epoch);
        epochs.newest = std::max(epochs.newest, node.psk_epoch);
    }
    return epochs;
}

Result<std::optional<PskMaster>> load_master(const LockedNetwork& lock, const KeyStore& store) {
    auto master = store.load_master();
    if (!master) return master;
    const auto [network, oldest, newest, unused] = epochs_of(lock);
    const auto& known = lock.psk_master;
    if (!*master) {
        if (!known && newest == 1) return master;
        return Error{Errc::not_found,
                     fmt::format("the PSK master is missing: {}", store.master_path()),
                     restore_master};
    }
    if ((*master)->first_epoch() > oldest)
        return Error{Errc::conflict,
                     fmt::format("{} starts at epoch {}, but the lock has nodes on epoch {}",
                                 store.master_path(), (*master)->first_epoch(), oldest),
                     restore_master};
    if (known && known->epoch >= (*master)->first_epoch()
        && *(*master)->check(known->epoch) != known->check)
        return Error{
            Errc::conflict,
            fmt::format("{} is not the PSK master that the lock knows", store.master_path()),
            restore_master};
    return master;
}

void enter_master(LockedNetwork& lock, const PskMaster& master, Date today) {
    const auto epoch = std::max(epochs_of(lock).newest, master.first_epoch());
    const Date made = lock.psk_master ? lock.psk_master->made : today;
    lock.psk_master = LockedMaster{epoch, *master.check(epoch), made};
}

namespace {

Result<NetworkSecrets> load_network(const Network& network, LockedNetwork& lock,
                                    const KeyStore& store, const KeyOptions& options,
                                    std::size_t& created) {
    const bool may_create =
        options.policy == KeyPolicy::make
        && std::any_of(network.nodes.begin(), network.nodes.end(), [&](const Node& node) {
               return keeps_key_here(node) && !lock.find(node.name.value)->key;
           });
    if (may_create)
        if (auto ready = store.prepare(); !ready) return std::move(ready).error();

    NetworkSecrets secrets;
    secrets.keys.resize(network.nodes.size());
    std::vector<char> is_new(network.nodes.size()); // not bool: threads write neighbours
    const Worker worker = [&](std::size_t i) -> Result<void> {
        const Node& node = network.nodes[i];
        LockedNode& line = *lock.find(node.name.value);
        if (keeps_key_here(node)) {
            auto obtained = obtain(node, line, store, options);
            if (!obtained) return std::move(obtained).error();
            secrets.keys[i] = std::move(obtained->key);
            is_new[i] = static_cast<char>(obtained->is_new);
        } else if (node.public_key) {
            enter(line, node.public_key->value, options.today);
        }
        return {};
    };
    auto done = parallel_for(network.nodes.size(), options.threads, [&] { return worker; });
    if (!done) return std::move(done).error();
    // One after another: in one folder, threads would only wait for each other.
    std::size_t here = 0;
    for (std::size_t i = 0; i < is_new.size(); ++i) {
        if (!is_new[i]) continue;
        auto stored = store.create_key(network.nodes[i].name.value, *secrets.keys[i]);
        if (!stored) return std::move(stored).error();
        ++here;
    }
    created += here;
    if (here != 0)
        if (auto synced = store.sync(); !synced) return std::move(synced).error();

    if (uses_pair_keys(network)) {
        auto master = obtain_master(lock, store, options);
        if (!master) return std::move(master).error();
        secrets.master = std::move(*master);
        auto pairs = store.load_pairs();
        if (!pairs) return std::move(pairs).error();
        secrets.pairs = std::move(*pairs);
    }
    return secrets;
}

} // namespace

Result<NetworkSecrets> load_node_secrets(const Plan& plan, NodeIndex node,
                                         const LockedNetwork& lock, const KeyStore& store) {
    const Member& member = plan.member(node);
    const std::string& name = member.node->name.value;
    LockedNode line = *member.locked;
    auto obtained = obtain(*member.node, line, store, {KeyPolicy::peek, false, {}, 1});
    if (!obtained) return std::move(obtained).error();
    if (!obtained->key)
        return Error{
            Errc::not_found,
            fmt::format("the private key of {} is missing: {}", name, store.key_path(name)),
            render_first};
    if (!member.locked->key)
        return Error{Errc::conflict, fmt::format("{} is not in the lock yet", store.key_path(name)),
                     render_first};
    NetworkSecrets secrets;
    secrets.keys.resize(plan.size());
    secrets.keys[node] = std::move(obtained->key);
    const auto peers = plan.peers(node);
    const bool has_pair_keys = std::any_of(
        peers.begin(), peers.end(), [](const Peer& peer) { return peer.psk == PskMode::per_pair; });
    if (!has_pair_keys) return secrets;
    auto pairs = store.load_pairs();
    if (!pairs) return std::move(pairs).error();
    secrets.pairs = std::move(*pairs);
    auto master = load_master(lock, store);
    if (!master) return std::move(master).error();
    if (!*master)
        return Error{Errc::not_found,
                     fmt::format("the PSK master is missing: {}", store.master_path()),
                     render_first};
    secrets.master = std::move(*master);
    return secrets;
}

Result<void> check_custody(const Fleet& fleet, bool allow_open) {
    for (const auto& network : fleet.inventory.networks) {
        const KeyStore store(fleet.paths.keys, network.name.value, allow_open);
        const LockedNetwork& lock = *fleet.lock.find(network.name.value);
        for (const auto& node : network.nodes) {
            const std::string& name = node.name.value;
            if (keeps_key_here(node) && lock.find(name)->key && !store.has_key(name))
                return missing_key(name, store);
        }
        if (!uses_pair_keys(network)) continue;
        if (auto master = load_master(lock, store); !master) return std::move(master).error();
    }
    return {};
}

bool uses_pair_keys(const Network& network) {
    return std::any_of(network.nodes.begin(), network.nodes.end(), [](const Node& node) {
        return node.psk == PskMode::per_pair
               || std::any_of(node.peers.begin(), node.peers.end(), [](const PeerOverride& peer) {
                      return peer.psk == PskMode::per_pair;
                  });
    });
}

bool keeps_key_here(const Node& node) { return node.managed && node.keys == Custody::local; }

Result<std::vector<NetworkSecrets>> load_secrets(Fleet& fleet, const KeyOptions& options,
                                                 std::size_t& created) {
    std::vector<NetworkSecrets> all;
    for (const auto& network : fleet.inventory.networks) {
        const KeyStore store(fleet.paths.keys, network.name.value, options.allow_open);
        auto loaded =
            load_network(network, *fleet.lock.find(network.name.value), store, options, created);
        if (!loaded) return std::move(loaded).error();
        all.push_back(std::move(*loaded));
    }
    return all;
}

} // namespace wgkit::mesh
