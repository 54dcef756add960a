// What the engine does with secrets between the libraries' functions: handshakes in both roles,
// macs, and keys that come and go over the configuration socket.
#include <algorithm>
#include <array>

#include "engine/control.hpp"
#include "engine/cookie.hpp"
#include "engine/noise.hpp"
#include "poison.hpp"

// That a message is forged, a public key useless or a configured key all zero ("none") is public,
// and the engine may branch on it: the linker puts these between the engine and the functions that
// tell (--wrap in CMakeLists.txt).
#define X25519 "_ZN5wgkit6crypto6x25519ESt4spanIKhLm32EES3_S1_IhLm32EE"
#define AEAD_OPEN                                                                                  \
    "_ZN5wgkit6crypto9aead_openESt4spanIKhLm32EEmS1_IS2_Lm18446744073709551615EES4_"               \
    "S1_IhLm18446744073709551615EE"
using Key = std::span<const std::uint8_t, 32>;
using Some = std::span<const std::uint8_t>;
bool real_x25519(Key, Key, std::span<std::uint8_t, 32>) asm("__real_" X25519);
bool wrapped_x25519(Key, Key, std::span<std::uint8_t, 32>) asm("__wrap_" X25519);
bool real_open(Key, std::uint64_t, Some, Some, std::span<std::uint8_t>) asm("__real_" AEAD_OPEN);
bool wrapped_open(Key, std::uint64_t, Some, Some, std::span<std::uint8_t>) asm("__wrap_" AEAD_OPEN);
extern "C" int real_is_zero(const unsigned char*, std::size_t) asm("__real_sodium_is_zero");
extern "C" int wrapped_is_zero(const unsigned char*, std::size_t) asm("__wrap_sodium_is_zero");

int wrapped_is_zero(const unsigned char* bytes, std::size_t size) {
    int zero = real_is_zero(bytes, size);
    return wgkit::test::declassify(zero);
}
bool wrapped_x25519(Key private_key, Key public_key, std::span<std::uint8_t, 32> out) {
    bool good = real_x25519(private_key, public_key, out);
    return wgkit::test::declassify(good);
}
bool wrapped_open(Key key, std::uint64_t counter, Some sealed, Some additional_data,
                  std::span<std::uint8_t> out) {
    bool good = real_open(key, counter, sealed, additional_data, out);
    return wgkit::test::declassify(good);
}

namespace wgkit::test {

namespace {

using namespace wgkit::engine;

/// Our long-term key is secret, its public half is not.
struct Party {
    Identity identity{generate_private_key()};
    StaticStatic static_static;

    Party() {
        poison(identity.private_key.reveal());
        identity.public_key = public_key(identity.private_key);
        declassify(identity.public_key);
    }
};

bool are_equal(const crypto::SecretHash& a, const crypto::SecretHash& b) {
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.bytes().size(); ++i)
        difference |= static_cast<unsigned>(a.bytes()[i] ^ b.bytes()[i]);
    return declassify(difference) == 0;
}

bool check_handshakes(bool has_psk) {
    const PresharedKey key = generate_preshared_key();
    poison(key.reveal());
    const PresharedKey* psk = has_psk ? &key : nullptr;
    Party a, b;
    Initiation first;
    auto initiator = Initiator::create(a.identity, b.identity.public_key, a.static_static, 1,
                                       std::chrono::system_clock::now(), first);
    if (!initiator) return fail("no initiation");
    declassify(first); // it is sent

    auto responder = Responder::open(b.identity, first);
    if (!responder || responder->remote_index() != 1) return fail("an initiation does not open");
    // Its sender's name is a secret, too, but looked up by hash: no more than the kernel does.
    declassify(const_cast<PublicKey&>(responder->peer()));
    if (!responder->authenticate(b.identity, b.static_static, first))
        return fail("an initiation is not authentic");
    Response second;
    const auto theirs = responder->respond(psk, 2, second);
    if (!theirs) return fail("no response");
    declassify(second);
    const auto ours = initiator->finish(a.identity, psk, second);
    if (!ours) return fail("a response does not open");
    if (!are_equal(ours->send, theirs->receive) || !are_equal(ours->receive, theirs->send))
        return fail("the keys of a session differ");

    first[initiation::static_key] ^= 1;
    if (Responder::open(b.identity, first)) return fail("a forged initiation opens");
    second[response::empty] ^= 1;
    return !initiator->finish(a.identity, psk, second) || fail("a forged response opens");
}

/// How much of a mac was right is secret; whether all of it was is not.
bool check_macs() {
    const Instant now{std::chrono::hours(1)};
    const UdpAddress from{*IpAddress::parse("192.0.2.1"), 51820, 0};
    const PublicKey own = public_key(generate_private_key());
    CookieChecker checker(own);
    CookieJar jar;
    Initiation message{};
    jar.add_macs(own, message, now);
    if (!jar.consume(own, checker.reply(message, from, now), now)) return fail("no cookie");
    jar.add_macs(own, message, now);
    for (const std::size_t at : {initiation::mac1, initiation::mac2}) {
        const bool first = at == initiation::mac1;
        for (const bool is_forged : {false, true}) {
            Initiation copy = message;
            copy[at + 15] ^= is_forged ? 1 : 0;
            poison(std::span(copy).subspan(at, mac_bytes));
            bool valid =
                first ? checker.has_valid_mac1(copy) : checker.has_valid_mac2(copy, from, now);
            if (declassify(valid) == is_forged) return fail("a mac is judged wrongly");
        }
    }
    return true;
}

class NoSockets : public Outside {
  public:
    Result<void> set_listen_port(std::uint16_t) override { return {}; }
    Result<void> set_mark(std::uint32_t) override { return {}; }
    std::uint16_t listen_port() const override { return 0; }
    std::uint32_t mark() const override { return 0; }
    std::string statistics() const override { return {}; }
};

/// `before` KEY `after` is set, and `get` gives the same key.
bool check_setting(std::string_view before, std::string_view name, std::string_view key) {
    const auto ciphers = crypto::fastest_cipher("libsodium");
    Tunnel tunnel(*ciphers);
    NoSockets outside;
    Control control(tunnel, outside);
    Actions actions;
    SecretString request("set=1\n");
    request.append(before).append(name).append("=").append(key).append("\n\n");
    const std::size_t at = request.find(key);
    poison(std::span(request).subspan(at, key.size()));
    SecretString answer;
    const Now now{Instant(std::chrono::hours(1)), std::chrono::system_clock::now()};
    if (!control.feed(request, answer, now, actions) || answer != "errno=0\n\n")
        return fail("a key is refused");
    answer.clear();
    if (!control.feed("get=1\n\n", answer, now, actions)) return fail("no answer");
    VALGRIND_MAKE_MEM_DEFINED(answer.data(), answer.size());
    SecretString line(name);
    line.append("=").append(key).append("\n");
    return answer.find(line) != SecretString::npos || fail("a key changes when it is set");
}

bool check_configuration() {
    constexpr std::string_view key =
        "58a7c1f0e2d3b4a5968778695a4b3c2d1e0f00112233445566778899aabbcc41";
    return check_setting("", "private_key", key)
           && check_setting("public_key=0900000000000000000000000000000000000000000000000000000000"
                            "000000\n",
                            "preshared_key", key);
}

} // namespace

bool check_engine() {
    return check_handshakes(false) && check_handshakes(true) && check_macs()
           && check_configuration();
}

} // namespace wgkit::test
