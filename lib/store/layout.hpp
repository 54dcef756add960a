#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

/// Where a fleet's documents are in the store. Who may write what is in users.hpp.
namespace wgkit::store {

struct Layout {
    std::string network;

    std::string base() const { return fmt::format("wgkit/{}/", network); }
    /// Written by operators: roots, the snapshot, objects.
    std::string published() const { return base() + "pub/"; }
    std::string root(std::uint64_t version) const {
        return fmt::format("{}root/{:08}", published(), version);
    }
    std::string snapshot() const { return published() + "snapshot"; }
    std::string object(std::string_view hash) const {
        return fmt::format("{}object/{}", published(), hash);
    }
    /// Written by those with a join key, each below its id; the last part is the node's name.
    std::string admissions() const { return base() + "admission/"; }
    std::string admission(std::string_view key_id, std::string_view node) const {
        return fmt::format("{}{}/{}", admissions(), key_id, node);
    }
    /// Who asked for an address first. Keeps two from asking at once; proves nothing.
    std::string addresses() const { return base() + "address/"; }
    std::string address(std::string_view address) const {
        return addresses() + std::string(address);
    }
    /// Written by each node: below its join key until it has a user of its own.
    std::string hints() const { return base() + "hint/"; }
    std::string hint_of_joined(std::string_view key_id) const {
        return fmt::format("{}join/{}/", hints(), key_id);
    }
    std::string hint_of_node(std::string_view node) const {
        return fmt::format("{}node/{}", hints(), node);
    }
    /// Written by each node: the new keys that it was asked for.
    std::string renewals() const { return base() + "renewal/"; }
    std::string renewal(std::string_view node) const { return renewals() + std::string(node); }
    /// Written by operators: a node's password for the store, sealed to it.
    std::string secrets() const { return base() + "secret/"; }
    std::string secret(std::string_view node) const { return secrets() + std::string(node); }
    /// Names of users of the store.
    std::string join_user(std::string_view key_id) const {
        return fmt::format("wgkit-{}-join-{}", network, key_id);
    }
    std::string node_user(std::string_view node) const {
        return fmt::format("wgkit-{}-node-{}", network, node);
    }
    /// Written by operators: entries of the log of their deeds.
    std::string audit() const { return base() + "audit/"; }
    std::string audit(std::uint64_t number) const {
        return fmt::format("{}{:08}", audit(), number);
    }
};

} // namespace wgkit::store
