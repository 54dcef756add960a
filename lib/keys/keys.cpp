#include "wgkit/keys.hpp"

#include <sodium.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace wgkit {

namespace {

using Bytes = std::array<std::uint8_t, key_bytes>;

// The kernel's generator, which blocks until it is seeded once at boot. A machine without it has
// no safe way to make a key, so there is nothing to report and go on with.
Bytes random_bytes() {
    Bytes bytes{};
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const ssize_t n = ::getrandom(bytes.data() + filled, bytes.size() - filled, 0);
        if (n < 0 && errno != EINTR) std::abort();
        if (n > 0) filled += static_cast<std::size_t>(n);
    }
    return bytes;
}

bool decode(Bytes& bytes, std::string_view base64) {
    if (base64.size() != key_base64_length) return false;
    // libsodium's codec is constant-time and rejects a non-canonical last character, but 1.0.18
    // takes bytes above 127 for letters. They become NUL here, without a branch on the secret.
    std::array<char, key_base64_length> ascii;
    std::transform(base64.begin(), base64.end(), ascii.begin(), [](char c) {
        const unsigned byte = static_cast<unsigned char>(c);
        return static_cast<char>(byte & ((byte >> 7) - 1));
    });
    std::size_t length = 0;
    const int failed = sodium_base642bin(bytes.data(), bytes.size(), ascii.data(), ascii.size(),
                                         nullptr, &length, nullptr, sodium_base64_VARIANT_ORIGINAL);
    wipe(ascii.data(), ascii.size());
    return failed == 0 && length == bytes.size();
}

template <class Text>
Text encode(std::span<const std::uint8_t, key_bytes> bytes) {
    std::array<char, key_base64_length + 1> buffer;
    sodium_bin2base64(buffer.data(), buffer.size(), bytes.data(), bytes.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    Text text(buffer.data(), key_base64_length);
    wipe(buffer.data(), buffer.size());
    return text;
}

// Public keys are no secrets. By table they are read and written ten times as fast as in constant
// time, which shows where there are ten thousand of them.
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;
constexpr auto base64_values = [] {
    std::array<std::uint8_t, 256> values{};
    for (auto& value : values) value = no_digit;
    for (std::size_t i = 0; i < base64_digits.size(); ++i)
        values[static_cast<unsigned char>(base64_digits[i])] = static_cast<std::uint8_t>(i);
    return values;
}();

/// Three bytes are four digits; of the last four, one stands for nothing (RFC 4648 section 4).
bool decode_public(Bytes& bytes, std::string_view base64) {
    if (base64.size() != key_base64_length || base64.back() != '=') return false;
    unsigned seen = 0; // has a bit above the sixth if a character is no digit
    std::uint32_t group = 0;
    std::size_t out = 0;
    for (std::size_t i = 0; i + 1 < base64.size(); ++i) {
        const unsigned value = base64_values[static_cast<unsigned char>(base64[i])];
        seen |= value;
        group = group << 6 | value;
        if (i % 4 != 3) continue;
        for (const int shift : {16, 8, 0}) bytes[out++] = static_cast<std::uint8_t>(group >> shift);
        group = 0;
    }
    // Eighteen bits are left: two bytes and two bits that must not be set.
    bytes[out++] = static_cast<std::uint8_t>(group >> 10);
    bytes[out] = static_cast<std::uint8_t>(group >> 2);
    return seen < 64 && (group & 3) == 0;
}

std::string encode_public(const Bytes& bytes) {
    std::string text(key_base64_length, '=');
    std::size_t out = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const bool is_last = i + 3 > bytes.size();
        const unsigned group = static_cast<unsigned>(bytes[i] << 16 | bytes[i + 1] << 8)
                               | (is_last ? 0U : bytes[i + 2]);
        for (const int shift : {18, 12, 6}) text[out++] = base64_digits[group >> shift & 63];
        if (!is_last) text[out++] = base64_digits[group & 63];
    }
    return text;
}

template <class Key>
Result<Key> parse_secret(std::string_view base64) {
    Bytes bytes{};
    const bool good = decode(bytes, base64);
    Key key(bytes);
    wipe(bytes.data(), bytes.size());
    if (!good) return Error{Errc::invalid, "key is not 44 characters of base64 for 32 bytes", {}};
    return key;
}

} // namespace

Result<PublicKey> PublicKey::parse(std::string_view base64) {
    PublicKey key;
    if (!decode_public(key.bytes, base64))
        return Error{Errc::invalid, "key is not 44 characters of base64 for 32 bytes", {}};
    return key;
}

std::string to_string(const PublicKey& key) { return encode_public(key.bytes); }

PrivateKey generate_private_key() {
    Bytes bytes = random_bytes();
    bytes[0] = static_cast<std::uint8_t>(bytes[0] & 0xF8);
    bytes[31] = static_cast<std::uint8_t>((bytes[31] & 0x7F) | 0x40);
    PrivateKey key(bytes);
    wipe(bytes.data(), bytes.size());
    return key;
}

PresharedKey generate_preshared_key() {
    Bytes bytes = random_bytes();
    PresharedKey key(bytes);
    wipe(bytes.data(), bytes.size());
    return key;
}

PublicKey public_key(const PrivateKey& key) {
    PublicKey result;
    crypto_scalarmult_curve25519_base(result.bytes.data(), key.reveal().data());
    return result;
}

Result<PrivateKey> parse_private_key(std::string_view base64) {
    return parse_secret<PrivateKey>(base64);
}

Result<PresharedKey> parse_preshared_key(std::string_view base64) {
    return parse_secret<PresharedKey>(base64);
}

SecretString reveal_base64(const PrivateKey& key) { return encode<SecretString>(key.reveal()); }

SecretString reveal_base64(const PresharedKey& key) { return encode<SecretString>(key.reveal()); }

bool equal(const PrivateKey& a, const PrivateKey& b) {
    return sodium_memcmp(a.reveal().data(), b.reveal().data(), key_bytes) == 0;
}

bool equal(const PresharedKey& a, const PresharedKey& b) {
    return sodium_memcmp(a.reveal().data(), b.reveal().data(), key_bytes) == 0;
}
bool is_zero(const PrivateKey& key) { return sodium_is_zero(key.reveal().data(), key_bytes) != 0; }
bool is_zero(const PresharedKey& key) {
    return sodium_is_zero(key.reveal().data(), key_bytes) != 0;
}

} // namespace wgkit

std::size_t std::hash<wgkit::PublicKey>::operator()(const wgkit::PublicKey& key) const noexcept {
    std::size_t value = 0; // the key is uniform already, but for its top bit
    std::memcpy(&value, key.bytes.data(), sizeof value);
    return value;
}
