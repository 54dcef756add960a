#pragma once

#include <string>

#include "wgkit/host.hpp"

/// The packet filter of full tunnels: in a table of nftables named as wg-quick names it, so that
/// either program can take down what the other brought up; without nft, in those of iptables.
namespace wgkit {

/// The table of an interface.
std::string filter_table(const std::string& interface);
/// What nft(8) reads: the table made anew, whatever was there, or with `remove` deleted.
std::string nft_text(const HostFilter& filter, const std::string& interface, bool remove);
/// What iptables-restore(8) reads: rules that are added, or with `remove` deleted.
std::string iptables_text(const HostFilter& filter, const std::string& interface, bool remove);

Result<void> apply_filter(const HostFilterChange& change, const std::string& interface,
                          bool remove);

} // namespace wgkit
