#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trust/signing.hpp"

/// Signed documents: a payload as bytes, its type, and signatures over both, so that nothing has to
/// be brought into a canonical form. Source: DSSE, the Dead Simple Signing Envelope, version 1.
namespace wgkit::trust {

struct EnvelopeSignature {
    std::string key_id; ///< a hint, not signed
    Signature signature{};
};

struct Envelope {
    std::string type; ///< e.g. application/vnd.wgkit.snapshot.v1+json
    std::string payload;
    std::vector<EnvelopeSignature> signatures;
};

inline constexpr std::size_t max_envelope_bytes = std::size_t{4} << 20;
inline constexpr std::size_t max_signatures = 32;

/// The bytes that are signed: DSSE's pre-authentication encoding of type and payload.
std::string signed_bytes(std::string_view type, std::string_view payload);

Envelope seal_document(std::string type, std::string payload,
                       std::span<const SigningKey* const> keys);
std::string to_text(const Envelope& envelope);
/// Verifies nothing. Errors: invalid (not an envelope, too large, too many signatures).
Result<Envelope> parse_envelope(std::string_view text);

/// How many of these keys have signed; a key counts once, however often it is listed or signs.
std::size_t signers(const Envelope& envelope, std::span<const VerifyKey> keys);

} // namespace wgkit::trust
