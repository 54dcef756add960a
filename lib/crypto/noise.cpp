#include "crypto/noise.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <sodium.h>

#include <memory>
#include <stdexcept>

#include "crypto/openssl.hpp"
#include "crypto/packet_cipher.hpp"

namespace wgkit::crypto {

namespace {

// Looked up once, since that takes longer than the hash itself; kept for the process's life.
const EVP_MD* blake2s_md() {
    static const EVP_MD* const md = EVP_MD_fetch(nullptr, "BLAKE2S-256", nullptr);
    must(md != nullptr);
    return md;
}

/// An HMAC that knows its hash but no key yet; copies of it need no look-up.
const EVP_MAC_CTX* hmac_blake2s() {
    static const EVP_MAC_CTX* const made = [] {
        EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
        EVP_MAC_CTX* const context = EVP_MAC_CTX_new(mac);
        EVP_MAC_free(mac);
        char digest[] = "BLAKE2S-256";
        const OSSL_PARAM parameters[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_end()};
        must(context != nullptr && EVP_MAC_CTX_set_params(context, parameters) == 1);
        return context;
    }();
    return made;
}

/// HMAC-BLAKE2s. A key stays for any number of messages.
class Hmac {
  public:
    Hmac() : context_(EVP_MAC_CTX_dup(hmac_blake2s())) { must(context_ != nullptr); }

    void begin(std::span<const std::uint8_t, 32> key) {
        must(EVP_MAC_init(context_.get(), key.data(), key.size(), nullptr) == 1);
    }
    void begin_again() { must(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1); }
    void update(std::span<const std::uint8_t> bytes) {
        must(EVP_MAC_update(context_.get(), bytes.data(), bytes.size()) == 1);
    }
    void finish(std::span<std::uint8_t, 32> out) {
        std::size_t length = 0;
        must(EVP_MAC_final(context_.get(), out.data(), &length, out.size()) == 1);
    }

  private:
    std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

// A buffer of the wrong size is the caller's bug, and must not become a write past its end.
void check_sizes(std::size_t sealed, std::size_t plaintext) {
    if (sealed != plaintext + tag_bytes) throw std::logic_error("AEAD buffer of a wrong size");
}

} // namespace

Hash blake2s(std::initializer_list<std::span<const std::uint8_t>> parts) {
    const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    must(context != nullptr && EVP_DigestInit_ex2(context.get(), blake2s_md(), nullptr) == 1);
    for (const auto part : parts)
        must(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
    Hash hash;
    must(EVP_DigestFinal_ex(context.get(), hash.data(), nullptr) == 1);
    return hash;
}

void kdf(std::span<const std::uint8_t, 32> chaining_key, std::span<const std::uint8_t> input,
         std::span<SecretHash> out) {
    if (out.empty() || out.size() > 3) throw std::logic_error("KDF of 1 to 3 outputs");
    Hmac hmac;
    SecretHash secret;
    hmac.begin(chaining_key);
    hmac.update(input);
    hmac.finish(secret.bytes());
    hmac.begin(secret.bytes());
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (i > 0) {
            hmac.begin_again();
            hmac.update(out[i - 1].bytes());
        }
        const auto number = static_cast<std::uint8_t>(i + 1);
        hmac.update({&number, 1});
        hmac.finish(out[i].bytes());
    }
}

bool x25519(std::span<const std::uint8_t, 32> private_key,
            std::span<const std::uint8_t, 32> public_key, std::span<std::uint8_t, 32> out) {
    return crypto_scalarmult_curve25519(out.data(), private_key.data(), public_key.data()) == 0;
}

void aead_seal(std::span<const std::uint8_t, 32> key, const Nonce& nonce,
               std::span<const std::uint8_t> plaintext,
               std::span<const std::uint8_t> additional_data, std::span<std::uint8_t> out) {
    check_sizes(out.size(), plaintext.size());
    crypto_aead_chacha20poly1305_ietf_encrypt(
        out.data(), nullptr, plaintext.data(), plaintext.size(), additional_data.data(),
        additional_data.size(), nullptr, nonce.data(), key.data());
}

bool aead_open(std::span<const std::uint8_t, 32> key, const Nonce& nonce,
               std::span<const std::uint8_t> sealed, std::span<const std::uint8_t> additional_data,
               std::span<std::uint8_t> out) {
    if (sealed.size() < tag_bytes) return false;
    check_sizes(sealed.size(), out.size());
    return crypto_aead_chacha20poly1305_ietf_decrypt(
               out.data(), nullptr, nullptr, sealed.data(), sealed.size(), additional_data.data(),
               additional_data.size(), nonce.data(), key.data())
           == 0;
}

void aead_seal(std::span<const std::uint8_t, 32> key, std::uint64_t counter,
               std::span<const std::uint8_t> plaintext,
               std::span<const std::uint8_t> additional_data, std::span<std::uint8_t> out) {
    aead_seal(key, nonce_of(counter), plaintext, additional_data, out);
}

bool aead_open(std::span<const std::uint8_t, 32> key, std::uint64_t counter,
               std::span<const std::uint8_t> sealed, std::span<const std::uint8_t> additional_data,
               std::span<std::uint8_t> out) {
    return aead_open(key, nonce_of(counter), sealed, additional_data, out);
}

void xaead_seal(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 24> nonce,
                std::span<const std::uint8_t> plaintext,
                std::span<const std::uint8_t> additional_data, std::span<std::uint8_t> out) {
    check_sizes(out.size(), plaintext.size());
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        out.data(), nullptr, plaintext.data(), plaintext.size(), additional_data.data(),
        additional_data.size(), nullptr, nonce.data(), key.data());
}

bool xaead_open(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 24> nonce,
                std::span<const std::uint8_t> sealed, std::span<const std::uint8_t> additional_data,
                std::span<std::uint8_t> out) {
    if (sealed.size() < tag_bytes) return false;
    check_sizes(sealed.size(), out.size());
    return crypto_aead_xchacha20poly1305_ietf_decrypt(
               out.data(), nullptr, nullptr, sealed.data(), sealed.size(), additional_data.data(),
               additional_data.size(), nonce.data(), key.data())
           == 0;
}

void random_bytes(std::span<std::uint8_t> out) {
    if (!out.empty()) randombytes_buf(out.data(), out.size()); // which takes no null pointer
}

} // namespace wgkit::crypto
