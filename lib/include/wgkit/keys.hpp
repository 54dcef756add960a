#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "wgkit/export.hpp"
#include "wgkit/result.hpp"
#include "wgkit/secret.hpp"

namespace wgkit {

inline constexpr std::size_t key_bytes = 32;
inline constexpr std::size_t key_base64_length = 44;

/// A Curve25519 public key: a plain value, printable and ordered.
struct WGKIT_API PublicKey {
    std::array<std::uint8_t, key_bytes> bytes{};

    /// Reads 44 characters of base64. Errors: Errc::invalid, without the text.
    static Result<PublicKey> parse(std::string_view base64);

    auto operator<=>(const PublicKey&) const = default;
};

/// Base64 (RFC 4648), 44 characters.
WGKIT_API std::string to_string(const PublicKey& key);

/// 32 secret bytes: move-only, wiped on move and destruction, never printable.
/// `Kind` keeps private and preshared keys apart.
template <class Kind>
class SecretKey {
  public:
    explicit SecretKey(std::span<const std::uint8_t, key_bytes> bytes) {
        std::copy(bytes.begin(), bytes.end(), bytes_.begin());
    }
    SecretKey(SecretKey&& other) noexcept : bytes_(other.bytes_) { other.clear(); }
    SecretKey& operator=(SecretKey&& other) noexcept {
        if (this != &other) {
            bytes_ = other.bytes_;
            other.clear();
        }
        return *this;
    }
    SecretKey(const SecretKey&) = delete;
    SecretKey& operator=(const SecretKey&) = delete;
    ~SecretKey() { clear(); }

    /// An explicit copy.
    SecretKey clone() const { return SecretKey(reveal()); }
    /// The raw bytes; valid while this object lives.
    std::span<const std::uint8_t, key_bytes> reveal() const { return bytes_; }

  private:
    void clear() noexcept { wipe(bytes_.data(), bytes_.size()); }
    std::array<std::uint8_t, key_bytes> bytes_;
};

struct PrivateKeyKind;
struct PresharedKeyKind;
using PrivateKey = SecretKey<PrivateKeyKind>;
using PresharedKey = SecretKey<PresharedKeyKind>;

/// A new clamped Curve25519 private key from the kernel's random generator (RFC 7748 section 5).
WGKIT_API PrivateKey generate_private_key();
/// 32 random bytes.
WGKIT_API PresharedKey generate_preshared_key();
/// X25519 of the key and the base point (RFC 7748 section 6.1); clamps as it goes.
WGKIT_API PublicKey public_key(const PrivateKey& key);

/// Constant-time base64 (RFC 4648), 44 characters. Errors: Errc::invalid; the text is never quoted.
WGKIT_API Result<PrivateKey> parse_private_key(std::string_view base64);
/// Constant-time base64 (RFC 4648), 44 characters. Errors: Errc::invalid; the text is never quoted.
WGKIT_API Result<PresharedKey> parse_preshared_key(std::string_view base64);
/// The key in base64, in memory that is wiped.
WGKIT_API SecretString reveal_base64(const PrivateKey& key);
WGKIT_API SecretString reveal_base64(const PresharedKey& key);
/// Constant-time comparison.
WGKIT_API bool equal(const PrivateKey& a, const PrivateKey& b);
WGKIT_API bool equal(const PresharedKey& a, const PresharedKey& b);
/// Whether a key is all zeros, which stands for none. In constant time.
WGKIT_API bool is_zero(const PrivateKey& key);
WGKIT_API bool is_zero(const PresharedKey& key);

} // namespace wgkit

/// For unordered containers.
template <>
struct std::hash<wgkit::PublicKey> {
    WGKIT_API std::size_t operator()(const wgkit::PublicKey& key) const noexcept;
};
