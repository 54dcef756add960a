#pragma once

#include <string>
#include <vector>

#include "wgkit/ip.hpp"
#include "wgkit/result.hpp"

namespace wgkit::netlink {

/// The families ip and ip6 in which nftables has a table of that name
/// (linux/netfilter/nf_tables.h); none where the kernel has no nftables. Errors: permission,
/// conflict, system.
Result<std::vector<Family>> find_nft_tables(const std::string& name);

} // namespace wgkit::netlink
