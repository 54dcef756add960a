#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wgkit/firewall_state.hpp"

/// The programs of firewalls, as they are run.
namespace wgkit::fw {

/// Runs a program; what it wrote to standard output. Errors: not_found; invalid, with `what`, if it
/// failed.
Result<std::string> output_of(const std::vector<std::string>& words, std::string_view input,
                              const std::string& what);

/// "iptables" or "ip6tables" with what follows, e.g. "-save".
std::string iptables_program(Family family, std::string_view suffix);

/// The files that ufw loads first.
std::string ufw_file(Family family);

inline constexpr Family families[] = {Family::ipv4, Family::ipv6};
/// Where a family's text is in RuleText::parts.
constexpr std::size_t part_of(Family family) { return family == Family::ipv4 ? 0 : 1; }

} // namespace wgkit::fw
