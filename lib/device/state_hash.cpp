#include <sodium.h>

#include <algorithm>
#include <array>
#include <vector>

#include "wgkit/device.hpp"

namespace wgkit {

namespace {

/// BLAKE2b over values of known length, or with their count before them: no two states look alike.
class Hash {
  public:
    Hash() { crypto_generichash_init(&state_, nullptr, 0, output_bytes); }
    Hash(const Hash&) = delete;
    Hash& operator=(const Hash&) = delete;
    ~Hash() { wipe(&state_, sizeof state_); }

    void add(std::span<const std::uint8_t> bytes) {
        crypto_generichash_update(&state_, bytes.data(), bytes.size());
    }
    void add(std::uint64_t number) {
        std::array<std::uint8_t, sizeof number> bytes{};
        for (auto& byte : bytes) {
            byte = static_cast<std::uint8_t>(number);
            number >>= 8;
        }
        add(bytes);
    }
    template <class Key>
    void add(const std::optional<Key>& key) {
        add(std::uint64_t{key.has_value()});
        if (key) add(key->reveal());
    }
    std::string hex() {
        std::array<std::uint8_t, output_bytes> bytes{};
        crypto_generichash_final(&state_, bytes.data(), bytes.size());
        std::array<char, 2 * output_bytes + 1> text{};
        sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
        return text.data();
    }

  private:
    static constexpr std::size_t output_bytes = 32;
    crypto_generichash_state state_{};
};

} // namespace

std::string state_hash(const Device& device) {
    Hash hash;
    hash.add(device.private_key);
    hash.add(device.listen_port);
    hash.add(device.fwmark);
    std::vector<const DevicePeer*> peers;
    peers.reserve(device.peers.size());
    for (const auto& peer : device.peers) peers.push_back(&peer);
    std::sort(peers.begin(), peers.end(), [](const DevicePeer* a, const DevicePeer* b) {
        return a->public_key < b->public_key;
    });
    hash.add(peers.size());
    std::vector<Prefix> prefixes;
    for (const auto* peer : peers) {
        hash.add(peer->public_key.bytes);
        hash.add(peer->preshared_key);
        hash.add(peer->persistent_keepalive);
        prefixes = peer->allowed_ips;
        std::sort(prefixes.begin(), prefixes.end());
        hash.add(prefixes.size());
        for (const auto& prefix : prefixes) {
            hash.add(prefix.address.bits());
            hash.add(prefix.address.bytes());
            hash.add(prefix.length);
        }
    }
    return hash.hex();
}

} // namespace wgkit
