// Runs the key code on bytes that valgrind believes to be undefined: a branch or an address that
// depends on a secret is then reported as use of an undefined value. Run by ctime.sh.
#include <array>
#include <cstring>

#include "crypto/noise.hpp"
#include "crypto/packet_cipher.hpp"
#include "poison.hpp"

using namespace wgkit;
using namespace wgkit::test;

namespace {

bool check_private_keys() {
    const PrivateKey key = generate_private_key();
    poison(key.reveal());
    auto its_public_key = public_key(key);
    const SecretString text = reveal_base64(key);
    poison(text);
    const auto parsed = parse_private_key(text);
    if (!parsed) return fail("a private key does not survive base64");
    bool same = equal(key, *parsed);
    auto again = public_key(*parsed);
    if (!declassify(same)) return fail("a private key changes in base64");
    return declassify(its_public_key) == declassify(again) || fail("public keys differ");
}

bool check_preshared_keys() {
    const PresharedKey key = generate_preshared_key();
    const PresharedKey other = generate_preshared_key();
    poison(key.reveal());
    poison(other.reveal());
    const SecretString text = reveal_base64(key);
    const auto parsed = parse_preshared_key(text);
    if (!parsed) return fail("a preshared key does not survive base64");
    bool same = equal(key, parsed->clone());
    bool different = equal(key, other);
    if (!declassify(same)) return fail("a preshared key changes in base64");
    return !declassify(different) || fail("two preshared keys are equal");
}

/// The AVX-512 of no library: valgrind does not know it. That a tag was right or wrong is public.
bool check_packet_ciphers() {
    for (const auto& provider : crypto::available_ciphers()) {
        std::array<std::uint8_t, 32> key;
        crypto::random_bytes(key);
        poison(key);
        const auto cipher = provider->make(key);
        std::array<std::uint8_t, 200> text{};
        poison(text);
        std::array<std::uint8_t, 200 + crypto::tag_bytes> packet;
        cipher->seal(1, text, packet.data());
        declassify(packet);
        auto forged = packet;
        forged.back() ^= 1;
        bool good = cipher->open(1, packet);
        if (!declassify(good)) return fail("a packet does not open");
        bool accepted = cipher->open(1, forged);
        if (declassify(accepted)) return fail("a forged packet opens");
    }
    return true;
}

bool check_handshake() {
    std::array<std::uint8_t, 32> private_key, key;
    crypto::random_bytes(private_key);
    poison(private_key);
    const std::array<std::uint8_t, 32> base{9}, low_order{};
    bool good = crypto::x25519(private_key, base, key);
    bool zero = !crypto::x25519(private_key, low_order, private_key);
    if (!declassify(good) || !declassify(zero)) return fail("X25519 is wrong");

    std::array<crypto::SecretHash, 3> keys;
    crypto::kdf(key, key, keys);
    std::array<std::uint8_t, 48> sealed;
    crypto::aead_seal(keys[2].bytes(), 0, key, {}, sealed);
    declassify(sealed);
    std::array<std::uint8_t, 32> opened;
    bool opens = crypto::aead_open(keys[2].bytes(), 0, sealed, {}, opened);
    sealed[0] ^= 1;
    bool forged = crypto::aead_open(keys[2].bytes(), 0, sealed, {}, opened);
    return (declassify(opens) && !declassify(forged)) || fail("the handshake's AEAD is wrong");
}

/// The net must catch something, or an empty report would prove nothing.
bool branch_on_secret() {
    const PrivateKey key = generate_private_key();
    poison(key.reveal());
    return std::memcmp(key.reveal().data(), "secret", 6) != 0 || fail("impossible");
}

} // namespace

int main(int argc, char**) {
    if (RUNNING_ON_VALGRIND == 0) return fail("must run under valgrind") ? 0 : 2;
    if (argc > 1) return branch_on_secret() ? 0 : 2;
    return check_private_keys() && check_preshared_keys() && check_packet_ciphers()
                   && check_handshake() && check_engine()
               ? 0
               : 2;
}
