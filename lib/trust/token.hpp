#pragma once

#include <string>
#include <vector>

#include "trust/documents.hpp"

namespace wgkit::trust {

/// What a new node needs to know, and the key that admits it: a secret, handed over out of band.
struct JoinToken {
    std::string network;
    std::string root_hash;           ///< of the payload of the first root
    std::vector<std::string> stores; ///< URLs of the store's members
    std::string ca;                  ///< certificates in PEM; empty: the system's, or no TLS
    std::string user;                ///< the store's; empty: it asks for none
    SecretString password;
    SigningKey key;
    std::uint64_t minimum_revision = 0; ///< nothing older is believed
};

/// One line of text: "wgkit-join-1." and base64.
SecretString to_text(const JoinToken& token);
/// Errors: invalid; the text is never quoted.
Result<JoinToken> parse_token(std::string_view text);

} // namespace wgkit::trust
