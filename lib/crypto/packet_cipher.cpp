#include "crypto/packet_cipher.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "crypto/cipher_providers.hpp"

namespace wgkit::crypto {

PacketCipher::~PacketCipher() = default;
CipherProvider::~CipherProvider() = default;

namespace {

using Clock = std::chrono::steady_clock;

/// How long the quickest of a few short runs takes: the others were disturbed.
Clock::duration time_of(CipherProvider& provider) {
    constexpr int runs = 8;
    constexpr int packets = 16;
    std::array<std::uint8_t, 32> key{};
    std::array<std::uint8_t, 1420 + tag_bytes> buffer{};
    const auto cipher = provider.make(key);
    auto best = Clock::duration::max();
    std::uint64_t counter = 0;
    for (int run = 0; run < runs; ++run) {
        const auto start = Clock::now();
        for (int i = 0; i < packets; ++i)
            cipher->seal(counter++, std::span(buffer).first(1420), buffer.data());
        best = std::min(best, Clock::now() - start);
    }
    return best;
}

} // namespace

std::vector<std::unique_ptr<CipherProvider>> available_ciphers() {
    std::vector<std::unique_ptr<CipherProvider>> found;
    for (const auto make : {ipsec_mb_provider, openssl_provider, sodium_provider})
        if (auto provider = make()) found.push_back(std::move(provider));
    return found;
}

std::unique_ptr<CipherProvider> fastest_cipher(std::string_view wanted) {
    std::unique_ptr<CipherProvider> best;
    auto best_time = Clock::duration::max();
    for (auto& provider : available_ciphers()) {
        if (!wanted.empty()) {
            if (provider->name() == wanted) return std::move(provider);
            continue;
        }
        const auto time = time_of(*provider);
        if (best && time >= best_time) continue;
        best = std::move(provider);
        best_time = time;
    }
    return best;
}

} // namespace wgkit::crypto
