#include "fleet/target.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "util/ascii.hpp"
#include "wgkit/ip.hpp"

namespace wgkit::tool::fleet {

const std::string& address_of(const Target& target) {
    return target.ssh.host.empty() ? target.name : target.ssh.host;
}

Result<Target> parse_target(std::string_view text) {
    const auto refuse = [&](std::string_view why) {
        return Error{Errc::invalid, fmt::format("'{}': {}", text, why),
                     "write [NAME=][USER@]HOST[:PORT]"};
    };
    Target target;
    std::string_view rest = text;
    if (const auto equals = rest.find('='); equals != rest.npos) {
        target.name = rest.substr(0, equals);
        rest.remove_prefix(equals + 1);
    }
    if (const auto at = rest.rfind('@'); at != rest.npos) {
        target.ssh.user = rest.substr(0, at);
        rest.remove_prefix(at + 1);
    }
    std::string_view host = rest;
    if (rest.starts_with('[')) { // an IPv6 address
        const auto end = rest.find(']');
        if (end == rest.npos) return refuse("the bracket does not end");
        host = rest.substr(1, end - 1);
        rest.remove_prefix(end + 1);
    } else if (std::count(rest.begin(), rest.end(), ':') == 1) {
        host = rest.substr(0, rest.find(':'));
        rest.remove_prefix(host.size());
    } else {
        rest = {};
    }
    if (!rest.empty()) {
        const auto port = ascii::to_number(rest.substr(1), 65535);
        if (rest.front() != ':' || !port || *port == 0) return refuse("no port");
        target.ssh.port = static_cast<std::uint16_t>(*port);
    }
    if (host.empty() || host.starts_with('-')) return refuse("no host");
    if (target.name.empty())
        target.name =
            IpAddress::parse(host) ? std::string() : std::string(host.substr(0, host.find('.')));
    if (host != target.name) target.ssh.host = host;
    if (!target.name.empty() && !ascii::is_dns_label(target.name))
        return refuse("no name for a node");
    return target;
}

} // namespace wgkit::tool::fleet
