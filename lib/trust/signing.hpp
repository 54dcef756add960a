#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "wgkit/keys.hpp"
#include "wgkit/result.hpp"

/// Ed25519 signatures (RFC 8032), by libsodium. What cannot sign, WireGuard keys, is in
/// possession.hpp.
namespace wgkit::trust {

struct SigningKeyKind;
/// The 32-byte seed that RFC 8032 calls the private key.
using SigningKey = SecretKey<SigningKeyKind>;

struct VerifyKey {
    std::array<std::uint8_t, 32> bytes{};

    /// Reads 44 characters of base64. Errors: invalid.
    static Result<VerifyKey> parse(std::string_view base64);
    auto operator<=>(const VerifyKey&) const = default;
};

using Signature = std::array<std::uint8_t, 64>;

SigningKey generate_signing_key();
VerifyKey verify_key(const SigningKey& key);
Signature sign(const SigningKey& key, std::string_view message);
bool verify(const VerifyKey& key, std::string_view message, const Signature& signature);

std::string to_string(const VerifyKey& key);
/// The first 16 hexadecimal digits of the key's SHA-256: finds a key, proves nothing.
std::string key_id(const VerifyKey& key);

/// As key files hold it: base64. Errors: invalid; the text is never quoted.
Result<SigningKey> parse_signing_key(std::string_view base64);
SecretString reveal_base64(const SigningKey& key);

std::string to_base64(std::string_view bytes);
/// Errors: invalid.
Result<std::string> from_base64(std::string_view text);

/// SHA-256 as 64 hexadecimal digits: what signed documents call other documents by.
std::string hash_of(std::string_view bytes);

} // namespace wgkit::trust
