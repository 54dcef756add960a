#pragma once

#include <string>

#include "wgkit/firewall.hpp"

/// One function for each firewall; emit() chooses.
namespace wgkit::fw {

std::string emit_ufw(const Ruleset& ruleset);
std::string remove_ufw(const std::string& interface);
std::string emit_nftables(const Ruleset& ruleset);
std::string remove_nftables(const std::string& interface);
std::string emit_firewalld(const Ruleset& ruleset);
std::string remove_firewalld(const std::string& interface);
/// The name of the interface's table, of family inet.
std::string nft_table(const std::string& interface);
std::string emit_iptables(const Ruleset& ruleset);
std::string remove_iptables(const std::string& interface);

} // namespace wgkit::fw
