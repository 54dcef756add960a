// Nanoseconds for what the tunnel asks of its cryptographic libraries, on one core: the quickest of
// many short runs. WGKIT_NO_AVX512=1 OPENSSL_ia32cap=:~0xD0230000 shows a processor without
// AVX-512.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "crypto/blake2s.hpp"
#include "crypto/noise.hpp"
#include "crypto/packet_cipher.hpp"

using namespace wgkit::crypto;

namespace {

template <class F>
double nanoseconds(int calls, F call) {
    using Clock = std::chrono::steady_clock;
    auto best = Clock::duration::max();
    for (int run = 0; run < 30; ++run) {
        const auto start = Clock::now();
        for (int i = 0; i < calls; ++i) call();
        best = std::min(best, Clock::now() - start);
    }
    return std::chrono::duration<double, std::nano>(best).count() / calls;
}

void bench_ciphers(std::size_t size) {
    const std::array<std::uint8_t, 32> key{1};
    for (const auto& provider : available_ciphers()) {
        const auto cipher = provider->make(key);
        std::array<std::uint8_t, 2048> buffer{}, out{}, packet{};
        std::uint64_t counter = 0;
        const auto text = std::span(buffer).first(size);
        const auto in_place = [&] { cipher->seal(counter++, text, buffer.data()); };
        const auto apart = [&] { cipher->seal(counter++, text, out.data()); };
        fmt::print("{:<10} {:>5} B  seal in place {:7.1f}  apart {:7.1f}", provider->name(), size,
                   nanoseconds(3000, in_place), nanoseconds(3000, apart));
        // What is opened must be sealed, or OpenSSL's and libsodium's way out is measured.
        cipher->seal(7, text, packet.data());
        bool good = true;
        const auto copy_and_open = [&] {
            std::copy_n(packet.begin(), size + tag_bytes, out.begin());
            good = cipher->open(7, std::span(out).first(size + tag_bytes)) && good;
        };
        const auto copy = [&] {
            std::copy_n(packet.begin(), size + tag_bytes, out.begin());
            asm volatile("" : : "r"(out.data()) : "memory");
        };
        const double copying = nanoseconds(3000, copy);
        fmt::print("  open {:7.1f}{}\n", nanoseconds(3000, copy_and_open) - copying,
                   good ? "" : "  WRONG");
    }
}

void bench_handshake() {
    std::array<std::uint8_t, 148> message{};
    std::array<std::uint8_t, 32> key{9}, out{};
    std::array<std::uint8_t, 16> mac{};
    const KeyedBlake2s mac1(key, 16);
    const std::array parts{std::span<const std::uint8_t>(message).first(116)};
    std::array<SecretHash, 3> outputs;
    fmt::print("mac1 of 116 B     {:9.1f}\n", nanoseconds(3000, [&] { mac1.mac(parts, mac); }));
    fmt::print("BLAKE2s of 64 B   {:9.1f}\n", nanoseconds(3000, [&] {
                   key = blake2s({key, std::span(message).first(32)});
               }));
    fmt::print("KDF, 3 outputs    {:9.1f}\n",
               nanoseconds(1000, [&] { kdf(outputs[0].bytes(), key, outputs); }));
    fmt::print("AEAD of 32 B      {:9.1f}\n", nanoseconds(3000, [&] {
                   aead_seal(key, 0, std::span(message).first(32), key,
                             std::span(message).first(48));
               }));
    fmt::print("XAEAD of 16 B     {:9.1f}\n", nanoseconds(3000, [&] {
                   xaead_seal(key, std::span<const std::uint8_t>(key).first<24>(), mac, mac, out);
               }));
    bool good = true;
    fmt::print("X25519            {:9.1f}{}\n",
               nanoseconds(50,
                           [&] {
                               good = x25519(outputs[1].bytes(), key, out) && good;
                               key = out;
                           }),
               good ? "" : "  WRONG");
}

} // namespace

int main() {
    for (const std::size_t size : {0U, 64U, 1420U}) bench_ciphers(size);
    fmt::print("fastest: {}, chosen in {:.0f} us\n", fastest_cipher()->name(),
               nanoseconds(1, [] { fastest_cipher(); }) / 1000);
    bench_handshake();
}
