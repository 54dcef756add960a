#pragma once

#include <string>
#include <string_view>

#include "trust/documents.hpp"

/// Who joins shows that he has the WireGuard key that he names. X25519 keys cannot sign, so it is a
/// MAC under a key from the Diffie-Hellman of that key and the join key's enrolment key; whoever
/// made the join key can check it. Source: RFC 6955, section 4.
namespace wgkit::trust {

/// The MAC over what the admission says, in base64. Errors: invalid (an enrolment key of low
/// order).
Result<std::string> possession_mac(const Admission& admission, const Delegation& delegation,
                                   const PrivateKey& node_key);

/// With the private half of the enrolment key, on the operator's side. Constant time.
bool shows_possession(const Admission& admission, const Delegation& delegation,
                      const PrivateKey& enrolment_key);

/// What such a MAC covers.
struct Possession {
    std::string key_context; ///< both public keys, and what for, as RFC 6955 does with its leading
                             ///< and trailing information
    std::string text;
};
/// Errors: invalid (a key of low order).
Result<std::string> make_mac(const Possession& what, const PrivateKey& mine,
                             const PublicKey& theirs);
/// Constant time.
bool is_mac(std::string_view mac, const Possession& what, const PrivateKey& mine,
            const PublicKey& theirs);

/// Sealed to a public key so that only its owner reads it (libsodium's sealed boxes).
std::string seal_secret(std::string_view secret, const PublicKey& to);
/// Errors: invalid: not for this key, or changed.
Result<SecretString> open_secret(std::string_view sealed, const PrivateKey& key);

} // namespace wgkit::trust
