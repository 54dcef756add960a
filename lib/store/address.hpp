#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

namespace wgkit::store {

/// Where a store is and how one gets in.
struct Access {
    std::vector<std::string> members; ///< https://HOST:PORT, or http:
    std::string ca_file;              ///< empty: the system's
    std::string user;                 ///< empty: the store asks for none
    SecretString password;
};

/// Members of `etcd://HOST[:PORT],...` (TLS) or `etcd+http://...` (none: for a store on loopback or
/// behind something that encrypts). Errors: invalid.
Result<std::vector<std::string>> parse_store_url(std::string_view url);

} // namespace wgkit::store
