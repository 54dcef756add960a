#include <sodium.h>

#include "crypto/cipher_providers.hpp"
#include "crypto/secret_hash.hpp"

namespace wgkit::crypto {

namespace {

class SodiumCipher final : public AeadCipher {
  public:
    explicit SodiumCipher(std::span<const std::uint8_t, 32> key) : key_(key) {}

    void seal_with(const Nonce& nonce, std::span<const std::uint8_t> plaintext,
                   std::span<const std::uint8_t> additional_data, std::uint8_t* out) override {
        crypto_aead_chacha20poly1305_ietf_encrypt(out, nullptr, plaintext.data(), plaintext.size(),
                                                  additional_data.data(), additional_data.size(),
                                                  nullptr, nonce.data(), key_.bytes().data());
    }

    bool open_with(const Nonce& nonce, std::span<std::uint8_t> sealed,
                   std::span<const std::uint8_t> additional_data) override {
        return crypto_aead_chacha20poly1305_ietf_decrypt(
                   sealed.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                   additional_data.data(), additional_data.size(), nonce.data(),
                   key_.bytes().data())
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
