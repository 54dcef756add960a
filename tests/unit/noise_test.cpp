#include "crypto/noise.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>
#include <type_traits>

#include "support/catch.hpp"
#include "support/vectors.hpp"

using namespace wgkit::crypto;
using namespace wgkit::test;

namespace {

static_assert(!std::is_copy_constructible_v<SecretHash> && !std::is_copy_assignable_v<SecretHash>);
static_assert(std::is_nothrow_move_constructible_v<
                  SecretHash> && std::is_nothrow_move_assignable_v<SecretHash>);

Bytes prefix(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return bytes;
}

Bytes bytes_of(const SecretHash& hash) { return {hash.bytes().begin(), hash.bytes().end()}; }
Bytes bytes_of(const Hash& hash) { return {hash.begin(), hash.end()}; }

/// The shared secret, or nothing if the function refuses the public key.
Bytes shared(const Bytes& private_key, const Bytes& public_key) {
    Bytes out(32);
    if (!x25519(fixed<32>(private_key), fixed<32>(public_key), std::span(out).first<32>()))
        return {};
    return out;
}

/// Sends Wycheproof's vectors through a pair of functions that take any buffers.
template <class Seal, class Open>
void check_aead(const std::string& file, std::size_t count, Seal seal, Open open) {
    const auto tests = vectors("wycheproof/" + file).at("tests");
    REQUIRE(tests.size() == count);
    for (const auto& test : tests) {
        INFO("test " << test.at("tcId"));
        const Bytes key = field(test, "key"), nonce = field(test, "iv");
        const Bytes ad = field(test, "aad"), plaintext = field(test, "msg");
        Bytes expected = field(test, "ct");
        std::ranges::copy(field(test, "tag"), std::back_inserter(expected));
        const bool valid = test.at("result") == "valid";

        Bytes out(expected.size());
        seal(key, nonce, plaintext, ad, out);
        CHECK((out == expected) == valid);
        Bytes back(plaintext.size());
        REQUIRE(open(key, nonce, expected, ad, back) == valid);
        if (valid) CHECK(back == plaintext);
    }
}

Nonce to_nonce(const Bytes& bytes) {
    Nonce nonce;
    std::ranges::copy(fixed<12>(bytes), nonce.begin());
    return nonce;
}

} // namespace

TEST_CASE("the hash is BLAKE2s-256, of RFC 7693 and as Python has it") {
    CHECK(bytes_of(blake2s({from_hex("616263")}))
          == from_hex("508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982"));
    const auto rows = vectors("blake2s/vectors.json").at("hash");
    REQUIRE(rows.size() == 13);
    for (const auto& row : rows) {
        const Bytes text = prefix(row.at("message"));
        CHECK(bytes_of(blake2s({text})) == field(row, "hash"));
        const auto half = std::span(text).first(text.size() / 2);
        CHECK(bytes_of(blake2s({half, {}, std::span(text).subspan(half.size())}))
              == field(row, "hash"));
    }
    CHECK(blake2s({}) == blake2s({Bytes{}}));
}

TEST_CASE("the KDF is HKDF with HMAC-BLAKE2s, as Python has it") {
    const auto rows = vectors("blake2s/vectors.json").at("kdf");
    REQUIRE(rows.size() == 15);
    for (const auto& row : rows) {
        const Bytes key = field(row, "chaining_key"), input = prefix(row.at("input"));
        for (std::size_t count = 1; count <= 3; ++count) {
            std::array<SecretHash, 3> out;
            kdf(fixed<32>(key), input, std::span(out).first(count));
            for (std::size_t i = 0; i < count; ++i)
                CHECK(bytes_of(out[i]) == from_hex(row.at("outputs")[i].get<std::string>()));
        }
    }
}

TEST_CASE("the KDF may replace its chaining key and its input") {
    const auto row = vectors("blake2s/vectors.json").at("kdf")[6]; // 32 bytes of input
    REQUIRE(row.at("input") == 32);
    std::array<SecretHash, 2> out{SecretHash(fixed<32>(field(row, "chaining_key"))),
                                  SecretHash(fixed<32>(prefix(32)))};
    kdf(out[0].bytes(), out[1].bytes(), out);
    CHECK(bytes_of(out[0]) == from_hex(row.at("outputs")[0].get<std::string>()));
    CHECK(bytes_of(out[1]) == from_hex(row.at("outputs")[1].get<std::string>()));
}

TEST_CASE("the KDF has one to three outputs") {
    std::array<SecretHash, 4> out;
    const Bytes key(32);
    CHECK_THROWS_AS(kdf(fixed<32>(key), {}, std::span(out).first(0)), std::logic_error);
    CHECK_THROWS_AS(kdf(fixed<32>(key), {}, out), std::logic_error);
}

TEST_CASE("X25519 gives the results of RFC 7748") {
    // Section 5.2.
    CHECK(shared(from_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                 from_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"))
          == from_hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
    CHECK(shared(from_hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
                 from_hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"))
          == from_hex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"));
    Bytes k(32), u(32);
    k[0] = u[0] = 9;
    for (int i = 0; i < 1000; ++i) {
        Bytes result = shared(k, u);
        REQUIRE(result.size() == 32);
        u = std::exchange(k, std::move(result));
        if (i == 0)
            CHECK(k
                  == from_hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
    }
    CHECK(k == from_hex("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
    // Section 6.1.
    CHECK(shared(from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
                 from_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
          == from_hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"));
}

TEST_CASE("X25519 passes Wycheproof's vectors and refuses an all-zero secret") {
    const auto tests = vectors("wycheproof/x25519.json").at("tests");
    REQUIRE(tests.size() == 518);
    std::size_t refused = 0;
    for (const auto& test : tests) {
        INFO("test " << test.at("tcId"));
        const Bytes expected = field(test, "shared");
        const bool zero = std::ranges::all_of(expected, [](auto byte) { return byte == 0; });
        refused += zero ? 1 : 0;
        CHECK(shared(field(test, "private"), field(test, "public")) == (zero ? Bytes{} : expected));
    }
    CHECK(refused > 20);
}

TEST_CASE("the handshake's AEAD passes RFC 8439, A.5") {
    const Bytes key = from_hex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
    const Bytes ad = from_hex("f33388860000000000004e91");
    const Bytes sealed = from_hex(
        "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e38"
        "2d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f9"
        "82b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c767b804d"
        "46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04"
        "b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a1049"
        "e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b02709beead9d6789"
        "0cbb22392336fea1851f38");
    Bytes plaintext(sealed.size() - 16);
    REQUIRE(aead_open(fixed<32>(key), 0x0807060504030201, sealed, ad, plaintext));
    const std::string text(plaintext.begin(), plaintext.end());
    CHECK(text.find("Internet-Drafts are draft documents") == 0);
    CHECK(text.size() == 265);
    Bytes again(sealed.size());
    aead_seal(fixed<32>(key), 0x0807060504030201, plaintext, ad, again);
    CHECK(again == sealed);
    CHECK_FALSE(aead_open(fixed<32>(key), 0x0807060504030202, sealed, ad, plaintext));
}

TEST_CASE("the handshake's AEAD passes Wycheproof's vectors") {
    check_aead(
        "chacha20_poly1305.json", 316,
        [](const Bytes& key, const Bytes& nonce, const Bytes& in, const Bytes& ad, Bytes& out) {
            aead_seal(fixed<32>(key), to_nonce(nonce), in, ad, out);
        },
        [](const Bytes& key, const Bytes& nonce, const Bytes& in, const Bytes& ad, Bytes& out) {
            return aead_open(fixed<32>(key), to_nonce(nonce), in, ad, out);
        });
}

TEST_CASE("the cookies' AEAD passes Wycheproof's vectors") {
    check_aead(
        "xchacha20_poly1305.json", 306,
        [](const Bytes& key, const Bytes& nonce, const Bytes& in, const Bytes& ad, Bytes& out) {
            xaead_seal(fixed<32>(key), fixed<24>(nonce), in, ad, out);
        },
        [](const Bytes& key, const Bytes& nonce, const Bytes& in, const Bytes& ad, Bytes& out) {
            return xaead_open(fixed<32>(key), fixed<24>(nonce), in, ad, out);
        });
}

TEST_CASE("less than a tag is refused, and a buffer of a wrong size is a bug") {
    const Bytes key(32), nonce(24);
    Bytes buffer(40);
    const std::span<std::uint8_t> all(buffer);
    for (std::size_t size = 0; size < 16; ++size) {
        CHECK_FALSE(aead_open(fixed<32>(key), 0, all.first(size), {}, {}));
        CHECK_FALSE(xaead_open(fixed<32>(key), fixed<24>(nonce), all.first(size), {}, {}));
    }
    CHECK_THROWS_AS(aead_open(fixed<32>(key), 0, all, {}, all.first(23)), std::logic_error);
    CHECK_THROWS_AS(aead_seal(fixed<32>(key), 0, all.first(24), {}, all.first(39)),
                    std::logic_error);
    CHECK_THROWS_AS(xaead_open(fixed<32>(key), fixed<24>(nonce), all, {}, all.first(25)),
                    std::logic_error);
    CHECK_THROWS_AS(xaead_seal(fixed<32>(key), fixed<24>(nonce), {}, {}, all.first(15)),
                    std::logic_error);
}

TEST_CASE("a secret hash moves, clones and is wiped") {
    const Bytes zeros(32), bytes = prefix(32);
    SecretHash a(fixed<32>(bytes));
    const SecretHash copy = a.clone();
    SecretHash b(std::move(a));
    CHECK(bytes_of(a) == zeros); // NOLINT: what moving leaves is what is tested
    CHECK(bytes_of(b) == bytes);
    SecretHash c;
    CHECK(bytes_of(c) == zeros);
    c = std::move(b);
    CHECK(bytes_of(b) == zeros); // NOLINT
    CHECK(bytes_of(c) == bytes);
    CHECK(bytes_of(copy) == bytes);

    alignas(SecretHash) std::array<std::uint8_t, sizeof(SecretHash)> memory{};
    auto* dying = new (memory.data()) SecretHash(fixed<32>(bytes));
    CHECK(memory[31] == 31);
    dying->~SecretHash();
    const volatile std::uint8_t* left = memory.data(); // the object is gone, its memory is not
    int sum = 0;
    for (std::size_t i = 0; i < memory.size(); ++i) sum += left[i];
    CHECK(sum == 0);
}

TEST_CASE("random bytes fill the whole buffer and differ") {
    Bytes a(64), b(64);
    random_bytes(a);
    random_bytes(b);
    CHECK(a != b);
    CHECK(std::ranges::count(a, std::uint8_t{0}) < 32);
    random_bytes({});
}
