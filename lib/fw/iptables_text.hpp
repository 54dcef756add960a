#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wgkit/firewall_state.hpp"

/// Our chains as iptables-restore(8) reads and iptables-save(8) writes them. Pure.
namespace wgkit::fw {

/// A chain of ours and the one of others that leads into it, if any does.
struct ChainWay {
    std::string table;
    std::string from;
    std::string chain;
};
/// All that an interface can have. `docker`: also from DOCKER-USER, which Docker keeps in front.
std::vector<ChainWay> chain_ways(const std::string& interface, Backend backend, Family family,
                                 bool docker);

/// The interface's chains and the ways into them, one table after the other.
std::string chains_text(const Ruleset& ruleset, Backend backend, Family family, bool docker);

/// What of a whole listing is ours: our chains that are not empty, the ways into them, and rules
/// before those that accept what ours are asked about too late.
std::string own_chains(std::string_view saved, const std::string& interface, Backend backend,
                       Family family);

/// What iptables-restore --noflush makes of `present`, a whole listing, so that `wanted` is loaded:
/// chains refilled, ways put in front where they are not, chains removed that are not wanted.
std::string transition(std::string_view wanted, std::string_view present,
                       const std::string& interface, Backend backend, Family family);

/// `text` loadable into an empty network namespace: with the chains of others that lead into ours.
std::string self_contained(std::string_view text, const std::string& interface, Backend backend,
                           Family family);

} // namespace wgkit::fw
