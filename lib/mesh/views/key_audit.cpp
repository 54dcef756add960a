// What is there of keys, against what should be. The only output that tells of private keys, so it
// holds none: fingerprints are of public keys.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "crypto/blake2s.hpp"
#include "crypto/sha256.hpp"
#include "mesh/secrets/custody.hpp"
#include "wgkit/mesh_views.hpp"

namespace wgkit::mesh {

namespace {

std::string fingerprint_of(const PublicKey& key) {
    const std::string_view bytes(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
    return crypto::sha256_hex(bytes).substr(0, 16);
}

std::optional<mode_t> mode_of(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return std::nullopt;
    return info.st_mode & 07777;
}

void check_mode(const std::string& path, const std::optional<mode_t>& mode,
                std::vector<std::string>& problems) {
    if (mode && (*mode & 077) != 0)
        problems.push_back(fmt::format("{} has mode {:04o}, others may read it", path, *mode));
}

void check_local(KeyRecord& record, const KeyStore& store) {
    record.file = store.key_path(record.node);
    record.mode = mode_of(record.file);
    check_mode(record.file, record.mode, record.problems);
    if (!record.mode) {
        if (record.key) record.problems.push_back(fmt::format("{} is missing", record.file));
        return;
    }
    const auto key = store.load_key(record.node);
    if (!key)
        record.problems.push_back(key.error().message);
    else if (*key && record.key && public_key(**key) != *record.key)
        record.problems.push_back(
            fmt::format("{} does not belong to the public key in the lock", record.file));
}

KeyRecord audit_node(const Node& node, const LockedNetwork& lock, const KeyStore& store,
                     Date today) {
    KeyRecord record;
    record.network = lock.name;
    record.node = node.name.value;
    record.psk = node.psk;
    record.custody = !node.managed ? "unmanaged" : node.keys == Custody::local ? "local" : "node";
    if (const LockedNode* locked = lock.find(record.node)) {
        record.key = locked->key;
        record.generation = locked->generation;
        if (locked->keyed) record.age = (today - *locked->keyed).count();
        record.psk_epoch = locked->psk_epoch;
    }
    if (!record.key && node.public_key) record.key = node.public_key->value;
    if (record.key) record.fingerprint = fingerprint_of(*record.key);
    if (keeps_key_here(node)) {
        check_local(record, store);
        return record;
    }
    if (!record.key) record.problems.emplace_back("its public key is not known");
    if (const auto path = store.key_path(record.node); mode_of(path))
        record.problems.push_back(fmt::format("{} is here, but should only be on the node", path));
    return record;
}

PskRecord audit_psk(const Network& network, const LockedNetwork& lock, const KeyStore& store,
                    Date today) {
    PskRecord record;
    record.network = lock.name;
    record.file = store.master_path();
    record.mode = mode_of(record.file);
    check_mode(record.file, record.mode, record.problems);
    check_mode(store.pairs_path(), mode_of(store.pairs_path()), record.problems);
    record.newest_epoch = epochs_of(lock).newest;
    if (lock.psk_master) record.age = (today - lock.psk_master->made).count();
    if (uses_pair_keys(network)) {
        const auto master = load_master(lock, store);
        if (!master)
            record.problems.push_back(master.error().message);
        else if (*master)
            record.first_epoch = (*master)->first_epoch();
    }
    const auto pairs = store.load_pairs();
    if (!pairs)
        record.problems.push_back(pairs.error().message);
    else
        record.stored_pairs = pairs->size();
    return record;
}

/// Key files that no node has: of removed nodes, or lost ones of another inventory.
std::vector<std::string> find_orphans(const Fleet& fleet) {
    std::set<std::string> expected{fleet.paths.keys + "/.gitignore"};
    for (const auto& network : fleet.inventory.networks) {
        const KeyStore store(fleet.paths.keys, network.name.value, true);
        expected.insert(store.master_path());
        expected.insert(store.pairs_path());
        for (const auto& node : network.nodes) expected.insert(store.key_path(node.name.value));
    }
    std::vector<std::string> orphans;
    std::error_code ignored;
    std::filesystem::recursive_directory_iterator walk(fleet.paths.keys, ignored);
    for (; walk != std::filesystem::recursive_directory_iterator(); walk.increment(ignored)) {
        const std::string path = walk->path().string();
        if (!walk->is_directory(ignored) && !expected.contains(path)) orphans.push_back(path);
        if (ignored) break;
    }
    std::sort(orphans.begin(), orphans.end());
    return orphans;
}

} // namespace

std::size_t KeyAudit::findings() const {
    std::size_t count = orphans.size();
    for (const auto& node : nodes) count += node.problems.size();
    for (const auto& network : networks) count += network.problems.size();
    return count;
}

KeyAudit audit_keys(const Fleet& fleet, Date today) {
    KeyAudit audit;
    for (const auto& network : fleet.inventory.networks) {
        // Open files are a finding here, not a reason to stop.
        const KeyStore store(fleet.paths.keys, network.name.value, true);
        const LockedNetwork& lock = *fleet.lock.find(network.name.value);
        for (const auto& node : network.nodes)
            audit.nodes.push_back(audit_node(node, lock, store, today));
        audit.networks.push_back(audit_psk(network, lock, store, today));
    }
    audit.orphans = find_orphans(fleet);
    return audit;
}

} // namespace wgkit::mesh
