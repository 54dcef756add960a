#pragma once

#include <map>
#include <string>
#include <vector>

#include "wgkit/firewall.hpp"

/// Rules as iptables-save writes them; what the emitters for ufw and iptables share. Packets of the
/// tunnel's devices go on in chains of their own: a rule can name one device, not two.
namespace wgkit::fw {

/// A chain of ours: at most 28 characters, which is what iptables takes.
struct ChainPlace {
    std::string table;
    std::string builtin; ///< that leads into it; empty: only others of ours do
    std::string chain;
};
/// All that an interface can have; those that lead into others come first.
std::vector<ChainPlace> chain_places(const std::string& interface);

/// `-A CHAIN ...` lines of each of them, without newlines, in order. Empty where there is nothing
/// to decide. The MSS is clamped where packets are filtered: the target works in every table, and
/// one chain less is one less to go through.
using OwnChains = std::map<std::string, std::vector<std::string>>;
OwnChains chains_of(const Ruleset& ruleset, Family family);

} // namespace wgkit::fw
