// Public keys: one of them with two owners, none where one is needed, and private keys that a
// reload erases.
#include <fmt/format.h>

#include <unordered_map>

#include "mesh/check/checks.hpp"

namespace wgkit::mesh {

namespace {

/// A node's public key as far as it is known, and where it is said.
struct KnownKey {
    const PublicKey* key = nullptr;
    Mark mark;
};

KnownKey known_key(const Node& node, const LockedNetwork& lock) {
    if (node.public_key) return {&node.public_key->value, node.public_key->mark};
    const LockedNode* locked = lock.find(node.name.value);
    if (locked != nullptr && locked->key) return {&*locked->key, node.name.mark};
    return {};
}

void check_custody(const Node& node, const KnownKey& known, Diagnostics& d) {
    const bool away = !node.managed || node.keys == Custody::node;
    if (away && known.key == nullptr) {
        d.error("missing-public-key", node.name.mark,
                fmt::format("{} keeps its own private key, and its public key is not known",
                            node.name.value))
            .hint = "run `wg pubkey` there and add `public_key:`";
    }
    if (node.managed && node.keys == Custody::node && node.format.value == Format::wg_quick)
        d.warning("key-on-node", node.marks.keys,
                  "`systemctl reload wg-quick@` erases a private key that is kept on the node")
            .hint = "restart instead of reloading, or use `format: networkd`";
}

} // namespace

void check_keys(const Network& network, const LockedNetwork& lock, Date today,
                Diagnostics& diagnostics) {
    struct Owner {
        const Node* node;
        Mark mark;
    };
    std::unordered_map<PublicKey, Owner> owners;
    for (const auto& node : network.nodes) {
        const KnownKey known = known_key(node, lock);
        if (is_active(node, today)) check_custody(node, known, diagnostics);
        if (known.key == nullptr) continue;
        const auto [first, is_new] = owners.emplace(*known.key, Owner{&node, known.mark});
        const Owner& other = first->second;
        if (is_new || other.node->name.value == node.name.value) continue;
        auto& found = diagnostics.error(
            "duplicate-key", known.mark,
            fmt::format("{} has the public key of {}", node.name.value, other.node->name.value));
        found.notes.push_back(
            {{}, other.mark, fmt::format("{} has it here", other.node->name.value)});
        found.hint = "every node needs a key of its own: WireGuard ignores a peer that has the key "
                     "of its own interface, and keeps one of two with the same key";
    }
}

} // namespace wgkit::mesh
