#include "crypto/cipher_providers.hpp"

#ifdef WGKIT_HAVE_IPSEC_MB

#include <intel-ipsec-mb.h>
#include <sodium.h>

#include <cstdlib>

#include "crypto/secret_hash.hpp"

namespace wgkit::crypto {

namespace {

using Manager = std::shared_ptr<IMB_MGR>;

class IpsecMbCipher final : public PacketCipher {
  public:
    IpsecMbCipher(Manager manager, std::span<const std::uint8_t, 32> key)
        : manager_(std::move(manager)), key_(key) {}

    void seal(std::uint64_t counter, std::span<const std::uint8_t> plaintext,
              std::uint8_t* out) override {
        run(counter, IMB_DIR_ENCRYPT, plaintext, out, out + plaintext.size());
    }

    bool open(std::uint64_t counter, std::span<std::uint8_t> sealed) override {
        const auto text = sealed.first(sealed.size() - tag_bytes);
        std::array<std::uint8_t, tag_bytes> tag;
        run(counter, IMB_DIR_DECRYPT, text, text.data(), tag.data());
        return sodium_memcmp(tag.data(), sealed.last(tag_bytes).data(), tag_bytes) == 0;
    }

  private:
    void run(std::uint64_t counter, IMB_CIPHER_DIRECTION direction,
             std::span<const std::uint8_t> in, std::uint8_t* out, std::uint8_t* tag) {
        const Nonce nonce = nonce_of(counter);
        IMB_JOB* job = IMB_GET_NEXT_JOB(manager_.get());
        *job = IMB_JOB{};
        job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
        job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
        job->cipher_direction = direction;
        job->chain_order =
            direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
        job->enc_keys = job->dec_keys = key_.bytes().data();
        job->key_len_in_bytes = key_.bytes().size();
        job->iv = nonce.data();
        job->iv_len_in_bytes = nonce.size();
        job->src = in.data() == nullptr ? out : in.data();
        job->dst = out;
        job->msg_len_to_cipher_in_bytes = job->msg_len_to_hash_in_bytes = in.size();
        job->auth_tag_output = tag;
        job->auth_tag_output_len_in_bytes = tag_bytes;
        // This cipher is done at once; no other ever waits in this manager.
        IMB_SUBMIT_JOB_NOCHECK(manager_.get());
    }

    Manager manager_;
    SecretHash key_;
};

class IpsecMbProvider final : public CipherProvider {
  public:
    explicit IpsecMbProvider(Manager manager) : manager_(std::move(manager)) {}
    std::string_view name() const override { return "ipsec-mb"; }
    std::unique_ptr<PacketCipher> make(std::span<const std::uint8_t, 32> key) override {
        return std::make_unique<IpsecMbCipher>(manager_, key);
    }

  private:
    Manager manager_;
};

bool without_avx512() {
    const char* value = std::getenv("WGKIT_NO_AVX512");
    return value != nullptr && std::string_view(value) == "1";
}

} // namespace

std::unique_ptr<CipherProvider> ipsec_mb_provider() {
    Manager manager(alloc_mb_mgr(0), [](IMB_MGR* m) {
        if (m != nullptr) free_mb_mgr(m);
    });
    if (!manager) return nullptr;
    if (without_avx512()) {
        if ((manager->features & IMB_FEATURE_AVX2) == 0) return nullptr;
        init_mb_mgr_avx2(manager.get());
    } else {
        init_mb_mgr_auto(manager.get(), nullptr);
    }
    if (imb_get_errno(manager.get()) != 0) return nullptr; // a processor that it cannot use
    return std::make_unique<IpsecMbProvider>(std::move(manager));
}

} // namespace wgkit::crypto

#else

namespace wgkit::crypto {

std::unique_ptr<CipherProvider> ipsec_mb_provider() { return nullptr; }

} // namespace wgkit::crypto

#endif
