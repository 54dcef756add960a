#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace wgkit::crypto {

/// Bytes of the authentication tag behind every ciphertext.
inline constexpr std::size_t tag_bytes = 16;

/// ChaCha20-Poly1305 (RFC 8439) for one key and one direction, with WireGuard's nonce: 32 zero
/// bits, then the counter, little endian. The key is wiped by the destructor. Threads: one at a
/// time for all ciphers of one provider.
class PacketCipher {
  public:
    PacketCipher() = default;
    virtual ~PacketCipher();
    PacketCipher(const PacketCipher&) = delete;
    PacketCipher& operator=(const PacketCipher&) = delete;

    /// Writes plaintext.size() + tag_bytes to `out`, which is plaintext.data() or does not overlap
    /// with the plaintext at all.
    virtual void seal(std::uint64_t counter, std::span<const std::uint8_t> plaintext,
                      std::uint8_t* out) = 0;

    /// Decrypts in place; the last tag_bytes are the tag, which `sealed` must be long enough for.
    /// False if the tag does not match: what `sealed` holds then must not be used. The tag is
    /// compared in constant time.
    [[nodiscard]] virtual bool open(std::uint64_t counter, std::span<std::uint8_t> sealed) = 0;
};

/// A library that can seal packets. Its ciphers may outlive it.
class CipherProvider {
  public:
    CipherProvider() = default;
    virtual ~CipherProvider();
    CipherProvider(const CipherProvider&) = delete;
    CipherProvider& operator=(const CipherProvider&) = delete;

    /// What WGKIT_CIPHER calls it: ipsec-mb, openssl, libsodium.
    [[nodiscard]] virtual std::string_view name() const = 0;
    [[nodiscard]] virtual std::unique_ptr<PacketCipher>
    make(std::span<const std::uint8_t, 32> key) = 0;
};

/// All that were built in and that this processor can run.
std::vector<std::unique_ptr<CipherProvider>> available_ciphers();

/// The fastest on packets of 1420 bytes, measured here and now (about a millisecond), or the one
/// that is `wanted`, which is not measured; nullptr if there is none of that name.
std::unique_ptr<CipherProvider> fastest_cipher(std::string_view wanted = {});

} // namespace wgkit::crypto
