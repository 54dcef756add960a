#include <sodium.h>

#include <algorithm>
#include <array>
#include <vector>

#include "util/link_local.hpp"
#include "wgkit/device.hpp"
#include "wgkit/host.hpp"

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
    void add(const IpAddress& address) {
        add(address.bits());
        add(address.bytes());
    }
    void add(const Prefix& prefix) {
        add(prefix.address);
        add(prefix.length);
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
        for (const auto& prefix : prefixes) hash.add(prefix);
    }
    return hash.hex();
}

std::string state_hash(const HostState& state) {
    Hash hash;
    hash.add(std::uint64_t{state.is_up});
    hash.add(state.mtu);
    std::vector<Prefix> addresses = state.addresses;
    std::erase_if(addresses, [](const Prefix& own) { return is_link_local(own.address); });
    std::sort(addresses.begin(), addresses.end());
    hash.add(addresses.size());
    for (const auto& address : addresses) hash.add(address);
    // Those of the kernel and of routing daemons come and go.
    constexpr std::uint8_t by_hand = 3;
    std::vector<HostRoute> routes = state.routes;
    std::erase_if(routes, [](const HostRoute& route) { return route.protocol != by_hand; });
    std::sort(routes.begin(), routes.end());
    hash.add(routes.size());
    for (const auto& route : routes) {
        hash.add(route.destination);
        hash.add(route.table);
        hash.add(route.metric);
    }
    std::vector<HostRule> rules = state.rules;
    std::sort(rules.begin(), rules.end());
    hash.add(rules.size());
    for (const auto& rule : rules) {
        hash.add(std::uint64_t{rule.family == Family::ipv6});
        hash.add(rule.unless_mark.value_or(0));
        hash.add(rule.table);
        hash.add(std::uint64_t{rule.no_default_routes});
        hash.add(rule.priority);
    }
    hash.add(state.filters.size());
    for (const auto& filter : state.filters) hash.add(std::uint64_t{filter.family == Family::ipv6});
    return hash.hex();
}

} // namespace wgkit
