#pragma once

#include <string>
#include <vector>

#include "wgkit/firewall.hpp"

/// Many rules as few lookups. nftables looks an exact tuple up in a hash table in the same time
/// however many there are; tuples with ranges go into interval sets, whose elements must not
/// overlap.
namespace wgkit::fw {

/// A set and the rule that looks packets up in it.
struct NftSet {
    std::string declaration; ///< "set NAME { type ...; elements = { ... }; }"
    std::string lookup;      ///< "ip saddr . ip daddr . meta l4proto . th dport @NAME"
};

/// The sets of those rules of one direction that need no rule of their own (`Rule::log`, `limit`).
/// `name` starts the names of the sets.
std::vector<NftSet> make_sets(const Ruleset& ruleset, Hook hook, bool in_tunnel, bool out_tunnel,
                              const std::string& name);

} // namespace wgkit::fw
