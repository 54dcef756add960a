#include <sodium.h>

#include "crypto/cipher_providers.hpp"
#include "crypto/secret_hash.hpp"

namespace wgkit::crypto {

namespace {

class SodiumCipher final : public PacketCipher {
  public:
    explicit SodiumCipher(std::span<const std::uint8_t, 32> key) : key_(key) {}

    void seal(std::uint64_t counter, std::span<const std::uint8_t> plaintext,
              std::uint8_t* out) override {
        const Nonce nonce = nonce_of(counter);
        crypto_aead_chacha20poly1305_ietf_encrypt(out, nullptr, plaintext.data(), plaintext.size(),
                                                  nullptr, 0, nullptr, nonce.data(),
                                                  key_.bytes().data());
    }

    bool open(std::uint64_t counter, std::span<std::uint8_t> sealed) override {
        const Nonce nonce = nonce_of(counter);
        return crypto_aead_chacha20poly1305_ietf_decrypt(sealed.data(), nullptr, nullptr,
                                                         sealed.data(), sealed.size(), nullptr, 0,
                                                         nonce.data(), key_.bytes().data())
               == 0;
    }

  private:
    SecretHash key_;
};

class SodiumProvider final : public CipherProvider {
  public:
    std::string_view name() const override { return "libsodium"; }
    std::unique_ptr<PacketCipher> make(std::span<const std::uint8_t, 32> key) override {
        return std::make_unique<SodiumCipher>(key);
    }
};

} // namespace

std::unique_ptr<CipherProvider> sodium_provider() {
    if (sodium_init() < 0) return nullptr; // chooses the code for this processor
    return std::make_unique<SodiumProvider>();
}

} // namespace wgkit::crypto
