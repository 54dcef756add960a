#include "crypto/cipher_providers.hpp"

#ifdef WGKIT_HAVE_IPSEC_MB

#include <intel-ipsec-mb.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

#include "wgkit/secret.hpp"

namespace wgkit::crypto {

namespace {

using Manager = std::shared_ptr<IMB_MGR>;

class IpsecMbCipher final : public AeadCipher {
  public:
    IpsecMbCipher(Manager manager, std::span<const std::uint8_t, 32> key)
        : manager_(std::move(manager)) {
        std::copy(key.begin(), key.end(), key_.begin());
    }
    ~IpsecMbCipher() override { wipe(key_.data(), key_.size()); }

    void seal_with(const Nonce& nonce, std::span<const std::uint8_t> plaintext,
                   std::span<const std::uint8_t> additional_data, std::uint8_t* out) override {
        run(IMB_DIR_ENCRYPT, nonce, plaintext, additional_data, out, out + plaintext.size());
    }

    bool open_with(const Nonce& nonce, std::span<std::uint8_t> sealed,
                   std::span<const std::uint8_t> additional_data) override {
        const auto text = sealed.first(sealed.size() - tag_bytes);
        std::array<std::uint8_t, tag_bytes> tag;
        run(IMB_DIR_DECRYPT, nonce, text, additional_data, text.data(), tag.data());
        return crypto_verify_16(tag.data(), sealed.last(tag_bytes).data()) == 0;
    }

  private:
    // Of the library's three ways this is the fastest for single packets: the direct functions copy
    // their state for every call, and bursts gain nothing, since packets are not interleaved. A job
    // is filled again as a whole, but not cleared before, which would take 10 ns.
    void run(IMB_CIPHER_DIRECTION direction, const Nonce& nonce, std::span<const std::uint8_t> in,
             std::span<const std::uint8_t> additional_data, std::uint8_t* out, std::uint8_t* tag) {
        IMB_JOB* const job = IMB_GET_NEXT_JOB(manager_.get());
        job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
        job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
        job->cipher_direction = direction;
        job->chain_order =
            direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
        job->enc_keys = job->dec_keys = key_.data();
        job->key_len_in_bytes = 32;
        job->iv = nonce.data();
        job->iv_len_in_bytes = nonce.size();
        job->src = in.data() == nullptr ? out : in.data();
        job->dst = out;
        job->cipher_start_src_offset_in_bytes = job->hash_start_src_offset_in_bytes = 0;
        job->msg_len_to_cipher_in_bytes = job->msg_len_to_hash_in_bytes = in.size();
        job->u.CHACHA20_POLY1305.aad = additional_data.data();
        job->u.CHACHA20_POLY1305.aad_len_in_bytes = additional_data.size();
        job->auth_tag_output = tag;
        job->auth_tag_output_len_in_bytes = tag_bytes;
        // Nothing ever waits in this manager: this cipher is done before the call returns.
        const IMB_JOB* const done = IMB_SUBMIT_JOB_NOCHECK(manager_.get());
        if (done != job || done->status != IMB_STATUS_COMPLETED)
            throw std::logic_error("ipsec-mb: a packet was not processed at once");
    }

    Manager manager_;
    // The library's AVX2 code reads 16 bytes more than the key has.
    alignas(64) std::array<std::uint8_t, 64> key_{};
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

/// For measurements: shows on a processor with AVX-512 how it goes on one without. OpenSSL is told
/// by its own OPENSSL_ia32cap=:~0xD0230000.
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
