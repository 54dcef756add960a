#include "store/address.hpp"

#include <fmt/format.h>

#include "util/ascii.hpp"
#include "wgkit/ip.hpp"

namespace wgkit::store {

Result<std::vector<std::string>> parse_store_url(std::string_view url) {
    constexpr std::string_view secure = "etcd://", plain = "etcd+http://";
    std::string_view scheme = "https";
    std::string_view rest = url;
    if (url.starts_with(secure))
        rest.remove_prefix(secure.size());
    else if (url.starts_with(plain)) {
        rest.remove_prefix(plain.size());
        scheme = "http";
    } else
        return Error{Errc::invalid, fmt::format("'{}' is no store", url),
                     "etcd://HOST,HOST, or etcd+http://HOST without TLS"};
    std::vector<std::string> members;
    for (const auto member : ascii::split(rest, ',')) {
        // A port is there if what follows the last colon is not inside of brackets.
        const auto colon = member.rfind(':');
        const bool has_port = colon != member.npos && member.find(']', colon) == member.npos;
        const std::string full = has_port ? std::string(member) : fmt::format("{}:2379", member);
        const auto endpoint = Endpoint::parse(full);
        if (!endpoint)
            return Error{endpoint.error().code, fmt::format("store: {}", endpoint.error().message),
                         endpoint.error().hint};
        members.push_back(fmt::format("{}://{}", scheme, to_string(*endpoint)));
    }
    return members;
}

} // namespace wgkit::store
