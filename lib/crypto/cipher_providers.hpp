#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "crypto/nonce.hpp"
#include "crypto/packet_cipher.hpp"

namespace wgkit::crypto {

/// What every provider makes: the whole of ChaCha20-Poly1305, so that published test vectors, which
/// have other nonces than WireGuard and additional data, go through the code that packets take.
class AeadCipher : public PacketCipher {
  public:
    void seal(std::uint64_t counter, std::span<const std::uint8_t> plaintext,
              std::uint8_t* out) final {
        seal_with(nonce_of(counter), plaintext, {}, out);
    }
    bool open(std::uint64_t counter, std::span<std::uint8_t> sealed) final {
        return open_with(nonce_of(counter), sealed, {});
    }

    virtual void seal_with(const Nonce& nonce, std::span<const std::uint8_t> plaintext,
                           std::span<const std::uint8_t> additional_data, std::uint8_t* out) = 0;
    [[nodiscard]] virtual bool open_with(const Nonce& nonce, std::span<std::uint8_t> sealed,
                                         std::span<const std::uint8_t> additional_data) = 0;
};

/// nullptr if it was not built in or cannot run on this processor.
std::unique_ptr<CipherProvider> ipsec_mb_provider();
std::unique_ptr<CipherProvider> openssl_provider();
std::unique_ptr<CipherProvider> sodium_provider();

} // namespace wgkit::crypto
