#include "trust/signing.hpp"

#include <sodium.h>

#include "crypto/sha256.hpp"

namespace wgkit::trust {

namespace {

/// libsodium keeps the public key behind the seed.
struct FullKey {
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> bytes{};
    std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> public_key{};

    explicit FullKey(const SigningKey& key) {
        crypto_sign_seed_keypair(public_key.data(), bytes.data(), key.reveal().data());
    }
    ~FullKey() { wipe(bytes.data(), bytes.size()); }
    FullKey(const FullKey&) = delete;
    FullKey& operator=(const FullKey&) = delete;
};

const unsigned char* raw(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

} // namespace

Result<VerifyKey> VerifyKey::parse(std::string_view base64) {
    const auto key = PublicKey::parse(base64); // the same shape
    if (!key) return Error{Errc::invalid, "not a signature key: 44 characters of base64", {}};
    return VerifyKey{key->bytes};
}

SigningKey generate_signing_key() {
    std::array<std::uint8_t, 32> seed{};
    randombytes_buf(seed.data(), seed.size());
    SigningKey key(seed);
    wipe(seed.data(), seed.size());
    return key;
}

VerifyKey verify_key(const SigningKey& key) { return {FullKey(key).public_key}; }

Signature sign(const SigningKey& key, std::string_view message) {
    Signature signature{};
    crypto_sign_detached(signature.data(), nullptr, raw(message), message.size(),
                         FullKey(key).bytes.data());
    return signature;
}

bool verify(const VerifyKey& key, std::string_view message, const Signature& signature) {
    return crypto_sign_verify_detached(signature.data(), raw(message), message.size(),
                                       key.bytes.data())
           == 0;
}

std::string to_string(const VerifyKey& key) { return wgkit::to_string(PublicKey{key.bytes}); }

std::string key_id(const VerifyKey& key) {
    return hash_of({reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()})
        .substr(0, 16);
}

Result<SigningKey> parse_signing_key(std::string_view base64) {
    const auto key = parse_preshared_key(base64); // any 32 bytes, in constant time
    if (!key) return Error{Errc::invalid, "not a signing key: 44 characters of base64", {}};
    return SigningKey(key->reveal());
}

SecretString reveal_base64(const SigningKey& key) {
    return wgkit::reveal_base64(PresharedKey(key.reveal()));
}

std::string to_base64(std::string_view bytes) {
    constexpr int variant = sodium_base64_VARIANT_ORIGINAL;
    std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
    sodium_bin2base64(text.data(), text.size(), raw(bytes), bytes.size(), variant);
    text.pop_back(); // the terminating zero
    return text;
}

Result<std::string> from_base64(std::string_view text) {
    std::string bytes(text.size() / 4 * 3 + 3, '\0');
    std::size_t size = 0;
    const char* end = nullptr;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                          text.size(), nullptr, &size, &end, sodium_base64_VARIANT_ORIGINAL)
            != 0
        || end != text.data() + text.size())
        return Error{Errc::invalid, "not base64", {}};
    bytes.resize(size);
    return bytes;
}

std::string hash_of(std::string_view bytes) { return crypto::sha256_hex(bytes); }

} // namespace wgkit::trust
