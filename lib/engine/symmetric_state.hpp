#pragma once

#include "crypto/noise.hpp"
#include "engine/messages.hpp"
#include "wgkit/keys.hpp"

namespace wgkit::engine {

/// Chaining key and transcript hash of a handshake, and the tokens that change them.
/// Source: the Noise specification, section 5.2, with the paper's KDFs.
class SymmetricState {
  public:
    using Key = std::span<const std::uint8_t, key_bytes>;

    /// C := HASH(CONSTRUCTION), H := HASH(HASH(C || IDENTIFIER) || the responder's public key)
    explicit SymmetricState(const PublicKey& responder);

    SymmetricState clone() const;

    /// H := HASH(H || data)
    void mix_hash(Bytes data);
    /// `e`: C := KDF1(C, ephemeral); H := HASH(H || ephemeral)
    void mix_ephemeral(Key ephemeral);
    /// (C, k) := KDF2(C, shared); k is for the next seal or open.
    void mix_key(Key shared);
    /// As mix_key with X25519 of both. False for a point of low order.
    [[nodiscard]] bool mix_dh(Key private_key, Key public_key);
    /// `psk`: (C, t, k) := KDF3(C, psk); H := HASH(H || t). Without one: 32 zeros.
    void mix_psk(const PresharedKey* psk);

    /// Seals with k and mixes what comes out. Shape: `out` holds plain.size() + tag_bytes.
    void seal(Bytes plain, MutableBytes out);
    /// Opens with k and mixes what went in. False if forged; then nothing has changed.
    [[nodiscard]] bool open(Bytes sealed, MutableBytes out);

    /// (first, second) := KDF2(C, empty)
    void split(crypto::SecretHash& first, crypto::SecretHash& second) const;

  private:
    SymmetricState() = default;

    crypto::Hash hash_{};
    crypto::SecretHash chaining_key_;
    crypto::SecretHash key_;
};

} // namespace wgkit::engine
