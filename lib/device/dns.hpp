#pragma once

#include <string>
#include <vector>

#include "wgkit/result.hpp"

/// Name servers of an interface, by resolvconf(8) as in wg-quick, or without it by resolvectl(1).
namespace wgkit {

/// The entries of `DNS` by what they are.
struct DnsEntries {
    std::vector<std::string> servers;
    std::vector<std::string> domains;
};
DnsEntries dns_entries(const std::vector<std::string>& entries);

/// The step as a command; empty if the entries have no server: then nothing is done, as in
/// wg-quick.
std::string dns_text(const DnsEntries& entries, const std::string& interface);
Result<void> set_dns(const DnsEntries& entries, const std::string& interface);
Result<void> unset_dns(const std::string& interface);

} // namespace wgkit
