#include "engine/symmetric_state.hpp"

#include <array>

#include "crypto/blake2s.hpp"
#include "engine/constants.hpp"

namespace wgkit::engine {

namespace {

using crypto::Hash;
using crypto::SecretHash;

// The same for every handshake.
struct Start {
    Hash chaining_key = crypto::blake2s({crypto::bytes_of(construction)});
    Hash hash = crypto::blake2s({chaining_key, crypto::bytes_of(identifier)});
};
const Start& start() {
    static const Start values;
    return values;
}

} // namespace

SymmetricState::SymmetricState(const PublicKey& responder)
    : hash_(crypto::blake2s({start().hash, responder.bytes})),
      chaining_key_(std::span<const std::uint8_t, 32>(start().chaining_key)) {}

SymmetricState SymmetricState::clone() const {
    SymmetricState copy;
    copy.hash_ = hash_;
    copy.chaining_key_ = chaining_key_.clone();
    copy.key_ = key_.clone();
    return copy;
}

void SymmetricState::mix_hash(Bytes data) { hash_ = crypto::blake2s({hash_, data}); }

void SymmetricState::mix_ephemeral(Key ephemeral) {
    std::array<SecretHash, 1> out;
    crypto::kdf(chaining_key_.bytes(), ephemeral, out);
    chaining_key_ = std::move(out[0]);
    mix_hash(ephemeral);
}

void SymmetricState::mix_key(Key shared) {
    std::array<SecretHash, 2> out;
    crypto::kdf(chaining_key_.bytes(), shared, out);
    chaining_key_ = std::move(out[0]);
    key_ = std::move(out[1]);
}

bool SymmetricState::mix_dh(Key private_key, Key public_key) {
    SecretHash shared;
    if (!crypto::x25519(private_key, public_key, shared.bytes())) return false;
    mix_key(shared.bytes());
    return true;
}

void SymmetricState::mix_psk(const PresharedKey* psk) {
    static constexpr std::array<std::uint8_t, key_bytes> no_psk{};
    std::array<SecretHash, 3> out;
    crypto::kdf(chaining_key_.bytes(), psk != nullptr ? psk->reveal() : Key(no_psk), out);
    chaining_key_ = std::move(out[0]);
    mix_hash(out[1].bytes());
    key_ = std::move(out[2]);
}

void SymmetricState::seal(Bytes plain, MutableBytes out) {
    crypto::aead_seal(key_.bytes(), 0, plain, hash_, out);
    mix_hash(out);
}

bool SymmetricState::open(Bytes sealed, MutableBytes out) {
    if (!crypto::aead_open(key_.bytes(), 0, sealed, hash_, out)) return false;
    mix_hash(sealed);
    return true;
}

void SymmetricState::split(SecretHash& first, SecretHash& second) const {
    std::array<SecretHash, 2> out;
    crypto::kdf(chaining_key_.bytes(), {}, out);
    first = std::move(out[0]);
    second = std::move(out[1]);
}

} // namespace wgkit::engine
