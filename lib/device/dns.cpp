#include "device/dns.hpp"

#include <algorithm>
#include <string_view>

#include "device/command.hpp"
#include "util/ascii.hpp"
#include "wgkit/files.hpp"

namespace wgkit {

namespace {

/// Debian's resolvconf sorts by the names in interface-order; a prefix from there puts us in front.
std::string resolvconf_name(const std::string& interface) {
    const auto order = files::read("/etc/resolvconf/interface-order");
    if (!order) return interface;
    for (const auto line : ascii::split(*order, '\n')) {
        const auto name = line.substr(0, line.empty() ? 0 : line.size() - 1);
        if (line.ends_with('*') && !name.empty()
            && std::all_of(name.begin(), name.end(),
                           [](char c) { return ascii::is_alnum(c) || c == '-'; }))
            return std::string(name) + "." + interface;
    }
    return interface;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
    std::string text;
    for (const auto& word : words) text.append(text.empty() ? "" : separator).append(word);
    return text;
}

} // namespace

DnsEntries dns_entries(const std::vector<std::string>& entries) {
    DnsEntries out;
    for (const auto& entry : entries) {
        const bool server =
            entry.find(':') != entry.npos || entry.find_first_not_of("0123456789.") == entry.npos;
        (server ? out.servers : out.domains).push_back(entry);
    }
    return out;
}

std::string dns_text(const DnsEntries& entries, const std::string& interface) {
    if (entries.servers.empty()) return {};
    if (has_program("resolvconf"))
        return "resolvconf -a " + resolvconf_name(interface) + " -m 0 -x";
    return "resolvectl dns " + interface + " " + joined(entries.servers, " ");
}

Result<void> set_dns(const DnsEntries& entries, const std::string& interface) {
    if (entries.servers.empty()) return {};
    if (has_program("resolvconf")) {
        std::string input;
        for (const auto& server : entries.servers) input += "nameserver " + server + "\n";
        if (!entries.domains.empty()) input += "search " + joined(entries.domains, " ") + "\n";
        return do_command({"resolvconf", "-a", resolvconf_name(interface), "-m", "0", "-x"},
                          {.input = input});
    }
    if (!has_program("resolvectl"))
        return Error{Errc::not_found, "neither resolvconf nor resolvectl is installed",
                     "name servers take one of them; without them remove DNS from the file"};
    std::vector<std::string> servers{"resolvectl", "dns", interface};
    servers.insert(servers.end(), entries.servers.begin(), entries.servers.end());
    if (auto set = do_command(servers); !set) return set;
    // "~.": all names are asked for here, which is what resolvconf -x means.
    std::vector<std::string> domains{"resolvectl", "domain", interface, "~."};
    domains.insert(domains.end(), entries.domains.begin(), entries.domains.end());
    return do_command(domains);
}

Result<void> unset_dns(const std::string& interface) {
    if (has_program("resolvconf"))
        return do_command({"resolvconf", "-d", resolvconf_name(interface), "-f"});
    if (has_program("resolvectl")) return do_command({"resolvectl", "revert", interface});
    return {};
}

} // namespace wgkit
