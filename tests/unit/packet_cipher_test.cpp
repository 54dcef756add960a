#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "crypto/cipher_providers.hpp"
#include "crypto/packet_cipher.hpp"
#include "support/catch.hpp"
#include "support/vectors.hpp"

using namespace wgkit::crypto;
using namespace wgkit::test;

namespace {

using Provider = std::unique_ptr<CipherProvider>;

/// Every provider there is here, and libIPSec_MB once more without AVX-512.
std::vector<Provider> providers() {
    auto all = available_ciphers();
    setenv("WGKIT_NO_AVX512", "1", 1);
    if (auto masked = ipsec_mb_provider()) all.push_back(std::move(masked));
    unsetenv("WGKIT_NO_AVX512");
    return all;
}

Bytes key_bytes_of(std::uint8_t n) {
    Bytes key(32);
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i * 7 + n);
    return key;
}

Bytes message(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * i + size);
    return bytes;
}

Bytes sealed(PacketCipher& cipher, std::uint64_t counter, const Bytes& plaintext) {
    Bytes out(plaintext.size() + tag_bytes);
    cipher.seal(counter, plaintext, out.data());
    return out;
}

AeadCipher& with_any_nonce(PacketCipher& cipher) { return dynamic_cast<AeadCipher&>(cipher); }

/// Memory between two pages that fault.
class Pages {
  public:
    Pages(std::size_t page, std::size_t room) : page_(page), size_(room + 2 * page) {
        base_ = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(base_ != MAP_FAILED);
        REQUIRE(mprotect(data(), room, PROT_READ | PROT_WRITE) == 0);
    }
    ~Pages() { munmap(base_, size_); }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    [[nodiscard]] std::uint8_t* data() const { return static_cast<std::uint8_t*>(base_) + page_; }

  private:
    std::size_t page_, size_;
    void* base_ = nullptr;
};

} // namespace

TEST_CASE("every cipher passes Wycheproof's vectors") {
    const auto tests = vectors("wycheproof/chacha20_poly1305.json").at("tests");
    REQUIRE(tests.size() == 316);
    for (const auto& provider : providers()) {
        for (const auto& test : tests) {
            INFO(provider->name() << ", test " << test.at("tcId"));
            const Bytes key = field(test, "key");
            const auto cipher = provider->make(fixed<32>(key));
            auto& aead = with_any_nonce(*cipher);
            Nonce nonce;
            std::ranges::copy(field(test, "iv"), nonce.begin());
            const Bytes ad = field(test, "aad"), plaintext = field(test, "msg");
            Bytes expected = field(test, "ct");
            std::ranges::copy(field(test, "tag"), std::back_inserter(expected));
            const bool valid = test.at("result") == "valid";

            Bytes out(expected.size());
            aead.seal_with(nonce, plaintext, ad, out.data());
            CHECK((out == expected) == valid);

            Bytes in = expected;
            REQUIRE(aead.open_with(nonce, in, ad) == valid);
            in.resize(plaintext.size());
            if (valid) CHECK(in == plaintext);
        }
    }
}

TEST_CASE("a packet's nonce is 32 zero bits and the counter, little endian") {
    const Nonce expected{0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
    CHECK(nonce_of(0x0102030405060708) == expected);
    const Bytes key = key_bytes_of(1);
    const Bytes plaintext = message(40);
    for (const auto& provider : providers()) {
        INFO(provider->name());
        const auto cipher = provider->make(fixed<32>(key));
        Bytes out(plaintext.size() + tag_bytes);
        with_any_nonce(*cipher).seal_with(expected, plaintext, {}, out.data());
        CHECK(sealed(*cipher, 0x0102030405060708, plaintext) == out);
    }
}

TEST_CASE("all ciphers agree on every length, in place and out of place") {
    std::vector<std::size_t> sizes(2049);
    for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] = i;
    sizes.insert(sizes.end(), {4096, 8973, 9000, 34816, 65503});
    const Bytes key = key_bytes_of(2);
    const auto reference = sodium_provider()->make(fixed<32>(key));
    for (const auto& provider : providers()) {
        const auto cipher = provider->make(fixed<32>(key));
        std::size_t wrong = 0;
        for (const auto size : sizes) {
            const Bytes plaintext = message(size);
            const std::uint64_t counter = size * 0x123456789abcdef;
            const Bytes expected = sealed(*reference, counter, plaintext);

            // With a byte before, so that nothing is aligned, and one behind that must stay.
            Bytes apart(1 + expected.size() + 1, 0xa5);
            cipher->seal(counter, plaintext, apart.data() + 1);
            Bytes in_place(1 + expected.size() + 1, 0xa5);
            std::ranges::copy(plaintext, in_place.begin() + 1);
            cipher->seal(counter, std::span(in_place).subspan(1, size), in_place.data() + 1);

            bool good = apart == in_place && apart.front() == 0xa5 && apart.back() == 0xa5
                        && std::equal(expected.begin(), expected.end(), apart.begin() + 1);
            good = good && cipher->open(counter, std::span(apart).subspan(1, expected.size()))
                   && std::equal(plaintext.begin(), plaintext.end(), apart.begin() + 1)
                   && apart.back() == 0xa5;
            wrong += good ? 0 : 1;
        }
        INFO(provider->name());
        CHECK(wrong == 0);
    }
}

TEST_CASE("no cipher reads or writes beside a packet") {
    // Everything ends where memory ends, then begins where it begins: elsewhere is a fault.
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t room = 4096;
    REQUIRE(room % page == 0);
    const Pages in(page, room), out(page, room);
    const Bytes key = key_bytes_of(9);
    for (const auto& provider : providers()) {
        INFO(provider->name());
        const auto cipher = provider->make(fixed<32>(key));
        for (std::size_t size = 0; size <= 2048; ++size) {
            const std::size_t whole = size + tag_bytes;
            std::uint8_t* const last = out.data() + room - whole;
            cipher->seal(size, {in.data() + room - size, size}, last);
            bool good = cipher->open(size, {last, whole});
            cipher->seal(size, {in.data(), size}, out.data());
            good = cipher->open(size, {out.data(), whole}) && good;
            if (!good) FAIL(size);
        }
    }
}

TEST_CASE("every changed bit of a packet is noticed") {
    const Bytes key = key_bytes_of(3);
    for (const auto& provider : providers()) {
        INFO(provider->name());
        const auto cipher = provider->make(fixed<32>(key));
        const Bytes packet = sealed(*cipher, 5, message(100));
        for (std::size_t bit = 0; bit < packet.size() * 8; ++bit) {
            Bytes changed = packet;
            changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
            if (cipher->open(5, changed)) FAIL("bit " << bit);
        }
        Bytes untouched = packet;
        CHECK(cipher->open(5, untouched)); // after all those failures
    }
}

TEST_CASE("an empty packet is only a tag, which is checked") {
    const Bytes key = key_bytes_of(4);
    for (const auto& provider : providers()) {
        INFO(provider->name());
        const auto cipher = provider->make(fixed<32>(key));
        Bytes keepalive(tag_bytes);
        cipher->seal(9, {}, keepalive.data());
        Bytes other = keepalive;
        other[15] ^= 1;
        CHECK_FALSE(cipher->open(9, other));
        CHECK(cipher->open(9, keepalive));
    }
}

TEST_CASE("a packet opens only under its counter and key") {
    for (const auto& provider : providers()) {
        INFO(provider->name());
        const Bytes key = key_bytes_of(5), other_key = key_bytes_of(6);
        const auto cipher = provider->make(fixed<32>(key));
        const auto other = provider->make(fixed<32>(other_key));
        for (const std::uint64_t counter :
             {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xffffffff},
              std::uint64_t{0x100000000}, ~std::uint64_t{0}}) {
            const Bytes packet = sealed(*cipher, counter, message(64));
            Bytes a = packet, b = packet, c = packet, d = packet;
            CHECK_FALSE(cipher->open(counter + 1, a));
            CHECK_FALSE(cipher->open(counter ^ 0x100000000, b));
            CHECK_FALSE(other->open(counter, c));
            CHECK(cipher->open(counter, d));
        }
    }
}

TEST_CASE("ciphers of one provider take turns and outlive it") {
    for (auto& provider : providers()) {
        INFO(provider->name());
        const Bytes keys[] = {key_bytes_of(7), key_bytes_of(8)};
        const std::unique_ptr<PacketCipher> ciphers[] = {provider->make(fixed<32>(keys[0])),
                                                         provider->make(fixed<32>(keys[1]))};
        provider.reset();
        for (std::uint64_t i = 0; i < 600; ++i) { // more than libIPSec_MB's ring of jobs
            Bytes packet = sealed(*ciphers[i % 2], i, message(i));
            Bytes other = packet;
            REQUIRE_FALSE(ciphers[(i + 1) % 2]->open(i, other));
            REQUIRE(ciphers[i % 2]->open(i, packet));
        }
    }
}

TEST_CASE("the ciphers that were built are found by their names") {
    std::set<std::string_view> names;
    const auto all = available_ciphers();
    for (const auto& provider : all) names.insert(provider->name());
    CHECK(names.size() == all.size());
    CHECK(names.count("openssl") == 1);
    CHECK(names.count("libsodium") == 1);
#ifdef WGKIT_HAVE_IPSEC_MB
    CHECK(names.count("ipsec-mb") == 1);
#endif
    for (const auto name : names) CHECK(fastest_cipher(name)->name() == name);
    CHECK(fastest_cipher("rot13") == nullptr);
    CHECK(fastest_cipher("open") == nullptr);
    CHECK(names.count(fastest_cipher()->name()) == 1);
}
