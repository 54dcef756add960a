#include "crypto/cipher_providers.hpp"
#include "crypto/openssl.hpp"

namespace wgkit::crypto {

namespace {

/// OpenSSL wipes the key when it frees the context.
class OpensslCipher final : public AeadCipher {
  public:
    OpensslCipher(const EVP_CIPHER* cipher, std::span<const std::uint8_t, 32> key)
        : context_(EVP_CIPHER_CTX_new()) {
        must(context_ != nullptr
             && EVP_CipherInit_ex2(context_.get(), cipher, key.data(), nullptr, 1, nullptr) == 1);
    }

    void seal_with(const Nonce& nonce, std::span<const std::uint8_t> plaintext,
                   std::span<const std::uint8_t> additional_data, std::uint8_t* out) override {
        std::uint8_t* const tag = out + plaintext.size();
        begin(nonce, 1);
        update(additional_data, nullptr);
        update(plaintext, out);
        must(finish(tag));
        must(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, tag) == 1);
    }

    bool open_with(const Nonce& nonce, std::span<std::uint8_t> sealed,
                   std::span<const std::uint8_t> additional_data) override {
        const auto text = sealed.first(sealed.size() - tag_bytes);
        const auto tag = sealed.last(tag_bytes);
        begin(nonce, 0);
        must(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data())
             == 1);
        update(additional_data, nullptr);
        update(text, text.data());
        return finish(tag.data());
    }

  private:
    // Only the nonce is set; a key would be taken in again for every packet.
    void begin(const Nonce& nonce, int encrypt) {
        must(EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, nonce.data(), encrypt, nullptr)
             == 1);
    }
    // Without `out` it is additional data.
    void update(std::span<const std::uint8_t> in, std::uint8_t* out) {
        int length = 0;
        if (in.empty()) return; // which OpenSSL would take for the end
        must(EVP_CipherUpdate(context_.get(), out, &length, in.data(), static_cast<int>(in.size()))
             == 1);
    }
    bool finish(std::uint8_t* end) {
        int length = 0;
        return EVP_CipherFinal_ex(context_.get(), end, &length) == 1;
    }

    std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
};

class OpensslProvider final : public CipherProvider {
  public:
    explicit OpensslProvider(EVP_CIPHER* cipher) : cipher_(cipher) {}
    std::string_view name() const override { return "openssl"; }
    std::unique_ptr<PacketCipher> make(std::span<const std::uint8_t, 32> key) override {
        return std::make_unique<OpensslCipher>(cipher_.get(), key);
    }

  private:
    std::unique_ptr<EVP_CIPHER, Free> cipher_;
};

} // namespace

std::unique_ptr<CipherProvider> openssl_provider() {
    auto* cipher = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
    return cipher == nullptr ? nullptr : std::make_unique<OpensslProvider>(cipher);
}

} // namespace wgkit::crypto
