#pragma once

#include <array>
#include <string>
#include <vector>

#include "wgkit/firewall.hpp"

/// Rules for firewalld: a zone of its own for the interface, and policies between it and the rest.
/// Pure.
namespace wgkit::fw {

/// A file below /etc/firewalld.
struct FirewalldFile {
    const char* folder; ///< "zones", "policies" or "ipsets"
    const char* suffix; ///< of the name: wgkit-IFACE and this
};
/// All that an interface can have, in the order of RuleText::parts.
inline constexpr std::array<FirewalldFile, 9> firewalld_files{{{"zones", ""},
                                                               {"policies", "-i"},
                                                               {"policies", "-o"},
                                                               {"policies", "-h"},
                                                               {"policies", "-l"},
                                                               {"policies", "-e"},
                                                               {"policies", "-s"},
                                                               {"ipsets", "-4"},
                                                               {"ipsets", "-6"}}};

/// "wgkit-IFACE"; the names of zones and policies begin so.
std::string firewalld_name(const std::string& interface);
/// "zones/wgkit-wg0.xml".
std::string firewalld_path(const std::string& interface, const FirewalldFile& file);

/// Why firewalld has no names for the interface's zone and policies. Errors: invalid.
Result<void> check_firewalld_interface(const std::string& interface);

/// One XML text for each of `firewalld_files`; empty: no such file.
std::vector<std::string> firewalld_texts(const Ruleset& ruleset);

} // namespace wgkit::fw
