#pragma once

#include <string>
#include <vector>

#include "wgkit/firewall.hpp"

/// Rules as iptables-save writes them; what the emitters for ufw and iptables share.
namespace wgkit::fw {

/// The interface's own chains: at most 28 characters, which is what iptables takes.
std::string input_chain(const std::string& interface);
std::string forward_chain(const std::string& interface);
std::string nat_chain(const std::string& interface);

/// `-A CHAIN ...` lines of one chain for one family, without newlines, in order.
std::vector<std::string> input_rules(const Ruleset& ruleset, Family family);
/// Empty if there is nothing to decide of forwarded packets. The MSS is clamped here, too: the
/// target works in every table, and one chain less is one less to go through.
std::vector<std::string> forward_rules(const Ruleset& ruleset, Family family);
/// Empty if nothing leaves under our address.
std::vector<std::string> nat_rules(const Ruleset& ruleset, Family family);

} // namespace wgkit::fw
