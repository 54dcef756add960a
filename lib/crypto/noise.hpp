#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "crypto/nonce.hpp"
#include "crypto/secret_hash.hpp"

/// What Noise_IKpsk2 and the cookies of WireGuard are made of (WireGuard paper, section 5.4).
/// Threads: every function may be called by several at once.
namespace wgkit::crypto {

using Hash = std::array<std::uint8_t, 32>;

/// BLAKE2s-256 (RFC 7693), unkeyed, of the concatenated parts.
Hash blake2s(std::initializer_list<std::span<const std::uint8_t>> parts);

/// The paper's KDF_n: HKDF (RFC 5869) with HMAC-BLAKE2s, one output for each of the 1 to 3 elements
/// of `out`. The chaining key may be one of the outputs.
void kdf(std::span<const std::uint8_t, 32> chaining_key, std::span<const std::uint8_t> input,
         std::span<SecretHash> out);

/// The shared secret of X25519 (RFC 7748). False, found in constant time, if it is all zero: the
/// public key is a point of low order.
[[nodiscard]] bool x25519(std::span<const std::uint8_t, 32> private_key,
                          std::span<const std::uint8_t, 32> public_key,
                          std::span<std::uint8_t, 32> out);

/// ChaCha20-Poly1305 (RFC 8439) with WireGuard's nonce, for the fields of handshake messages: `out`
/// takes 16 bytes more than `plaintext`, and may begin where that does.
void aead_seal(std::span<const std::uint8_t, 32> key, std::uint64_t counter,
               std::span<const std::uint8_t> plaintext,
               std::span<const std::uint8_t> additional_data, std::span<std::uint8_t> out);

/// The way back: `out` takes 16 bytes less than `sealed`. False if the tag does not match or
/// `sealed` is shorter than a tag.
[[nodiscard]] bool aead_open(std::span<const std::uint8_t, 32> key, std::uint64_t counter,
                             std::span<const std::uint8_t> sealed,
                             std::span<const std::uint8_t> additional_data,
                             std::span<std::uint8_t> out);

/// The same with any nonce, as test vectors have.
void aead_seal(std::span<const std::uint8_t, 32> key, const Nonce& nonce,
               std::span<const std::uint8_t> plaintext,
               std::span<const std::uint8_t> additional_data, std::span<std::uint8_t> out);
[[nodiscard]] bool aead_open(std::span<const std::uint8_t, 32> key, const Nonce& nonce,
                             std::span<const std::uint8_t> sealed,
                             std::span<const std::uint8_t> additional_data,
                             std::span<std::uint8_t> out);

/// XChaCha20-Poly1305, for cookies; otherwise as aead_seal and aead_open.
void xaead_seal(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 24> nonce,
                std::span<const std::uint8_t> plaintext,
                std::span<const std::uint8_t> additional_data, std::span<std::uint8_t> out);
[[nodiscard]] bool xaead_open(std::span<const std::uint8_t, 32> key,
                              std::span<const std::uint8_t, 24> nonce,
                              std::span<const std::uint8_t> sealed,
                              std::span<const std::uint8_t> additional_data,
                              std::span<std::uint8_t> out);

/// Fills `out` from the system's generator of randomness.
void random_bytes(std::span<std::uint8_t> out);

} // namespace wgkit::crypto
