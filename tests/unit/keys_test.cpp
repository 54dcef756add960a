#include <fmt/format.h>

#include <ostream>
#include <set>
#include <type_traits>
#include <unordered_set>

#include "support/catch.hpp"
#include "wgkit/keys.hpp"

using namespace wgkit;

namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
    out << value;
};

template <class T>
constexpr bool is_guarded =
    !std::is_copy_constructible_v<
        T> && !std::is_copy_assignable_v<T> && std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> && !std::is_default_constructible_v<T> && !fmt::is_formattable<T>::value
    && !Streamable<T> && !std::is_convertible_v<T, std::string_view>;
static_assert(is_guarded<PrivateKey>);
static_assert(is_guarded<PresharedKey>);
static_assert(!std::is_constructible_v<PrivateKey, PresharedKey>);
static_assert(!std::is_constructible_v<PresharedKey, PrivateKey>);

std::array<std::uint8_t, key_bytes> from_hex(std::string_view hex) {
    std::array<std::uint8_t, key_bytes> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] =
            static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(2 * i, 2)), nullptr, 16));
    return bytes;
}

std::string text(const SecretString& secret) { return std::string(secret); }

const std::string alice = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="; // RFC 7748, section 6.1

} // namespace

TEST_CASE("public keys are those of RFC 7748 section 6.1") {
    const PrivateKey a(
        from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
    const PrivateKey b(
        from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    CHECK(public_key(a).bytes
          == from_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
    CHECK(public_key(b).bytes
          == from_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
    CHECK(text(reveal_base64(a)) == alice);
}

TEST_CASE("an unclamped private key has the public key of the clamped one") {
    auto bytes = from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    const auto expected = public_key(PrivateKey(bytes));
    bytes[0] = static_cast<std::uint8_t>(bytes[0] | 7);
    bytes[31] = static_cast<std::uint8_t>(bytes[31] | 0x80);
    CHECK(public_key(PrivateKey(bytes)) == expected);
}

TEST_CASE("keys survive a round trip through base64") {
    for (int i = 0; i < 200; ++i) {
        const auto key = generate_private_key();
        const auto psk = generate_preshared_key();
        REQUIRE(equal(key, *parse_private_key(reveal_base64(key))));
        REQUIRE(equal(psk, *parse_preshared_key(reveal_base64(psk))));
        REQUIRE(PublicKey::parse(to_string(public_key(key))).value_or(PublicKey{})
                == public_key(key));
    }
}

TEST_CASE("private keys are clamped and preshared keys are not") {
    std::set<int> low_bits;
    for (int i = 0; i < 200; ++i) {
        const auto key = generate_private_key();
        REQUIRE((key.reveal()[0] & 7) == 0);
        REQUIRE((key.reveal()[31] & 0xC0) == 0x40);
        low_bits.insert(generate_preshared_key().reveal()[0] & 7);
    }
    CHECK(low_bits.size() > 1);
}

TEST_CASE("new keys differ") {
    std::unordered_set<PublicKey> seen;
    for (int i = 0; i < 200; ++i) seen.insert(public_key(generate_private_key()));
    CHECK(seen.size() == 200);
}

TEST_CASE("text that is not exactly a key is rejected, and never quoted") {
    std::string flipped = alice;
    flipped[42] = 'p'; // 'o' and 'p' differ only in bits that 32 bytes do not use
    for (const auto& bad : {std::string(), alice.substr(1), alice.substr(0, 43), alice + "=",
                            alice + "\n", " " + alice, alice.substr(0, 43) + "A", flipped,
                            std::string(44, '='), std::string(44, '\0'), std::string(44, '-'),
                            alice.substr(0, 42) + "==", std::string("_") + alice.substr(1),
                            alice.substr(0, 20) + "\n" + alice.substr(21)}) {
        CAPTURE(bad.size());
        const auto key = parse_private_key(bad);
        REQUIRE_FALSE(key);
        CHECK(key.error().code == Errc::invalid);
        if (bad.size() > 10)
            CHECK(key.error().message.find(bad.substr(0, 10)) == std::string::npos);
        CHECK_FALSE(parse_preshared_key(bad));
        CHECK_FALSE(PublicKey::parse(bad));
    }
}

TEST_CASE("public keys are written and read by table as secret ones are in constant time") {
    for (int i = 0; i < 200; ++i) {
        const PresharedKey secret = generate_preshared_key();
        PublicKey same;
        std::copy(secret.reveal().begin(), secret.reveal().end(), same.bytes.begin());
        CHECK(std::string_view(to_string(same)) == std::string_view(reveal_base64(secret)));
        REQUIRE(PublicKey::parse(to_string(same)));
        CHECK(*PublicKey::parse(to_string(same)) == same);
    }
}

// libsodium 1.0.18 accepts most of these bytes as if they were letters.
TEST_CASE("bytes above 127 are not base64") {
    for (int byte = 128; byte < 256; ++byte) {
        for (const std::size_t place : {0U, 1U, 20U, 42U, 43U}) {
            std::string bad = alice;
            bad[place] = static_cast<char>(byte);
            REQUIRE_FALSE(parse_private_key(bad));
            REQUIRE_FALSE(PublicKey::parse(bad));
        }
    }
}

TEST_CASE("moving a secret key wipes its source") {
    auto key = *parse_private_key(alice);
    const auto copy = key.clone();
    PrivateKey moved(std::move(key));
    const std::array<std::uint8_t, key_bytes> zero{};
    CHECK(equal(key, PrivateKey(zero))); // NOLINT(bugprone-use-after-move): that is the point
    CHECK(equal(moved, copy));
    auto other = generate_private_key();
    other = std::move(moved);
    CHECK(equal(moved, PrivateKey(zero))); // NOLINT(bugprone-use-after-move)
    CHECK(equal(other, copy));
    auto& same = other;
    other = std::move(same);
    CHECK(equal(other, copy));
}

TEST_CASE("a dying secret key wipes its memory") {
    alignas(PrivateKey) std::array<std::uint8_t, sizeof(PrivateKey)> memory{};
    auto* key = new (memory.data()) PrivateKey(*parse_private_key(alice));
    CHECK(memory[0] == 0x77);
    key->~PrivateKey();
    const volatile std::uint8_t* bytes = memory.data(); // the object is gone, its memory is not
    int sum = 0;
    for (std::size_t i = 0; i < memory.size(); ++i) sum += bytes[i];
    CHECK(sum == 0);
}

TEST_CASE("keys are equal only if all bytes are") {
    const auto key = generate_preshared_key();
    for (std::size_t i = 0; i < key_bytes; ++i) {
        std::array<std::uint8_t, key_bytes> bytes{};
        std::copy(key.reveal().begin(), key.reveal().end(), bytes.begin());
        bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ 0x80);
        REQUIRE_FALSE(equal(key, PresharedKey(bytes)));
    }
    CHECK(equal(key, key.clone()));
}
