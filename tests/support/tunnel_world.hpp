#pragma once

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/tunnel.hpp"

/// Tunnels on a simulated network with a clock that only the test moves.
namespace wgkit::test {

using namespace wgkit::engine;
using Datagram = std::vector<std::uint8_t>;

/// What the network does to datagrams. Probabilities from 0 to 1.
struct Link {
    double loss = 0;
    double duplication = 0;
    std::chrono::nanoseconds delay = std::chrono::milliseconds(5);
    std::chrono::nanoseconds jitter{0}; ///< more than the gap between datagrams reorders them
};

/// An inner UDP packet that carries a number, so that it can be told from others.
inline Datagram numbered_packet(const char* from, const char* to, std::uint32_t number,
                                std::size_t size = 100) {
    Datagram packet(size, 0);
    const auto source = *IpAddress::parse(from);
    const auto destination = *IpAddress::parse(to);
    std::size_t header = 0;
    if (source.is_v4()) {
        header = 20;
        packet[0] = 0x45;
        store_be16(packet.data() + 2, size);
        packet[8] = 64;
        packet[9] = 17;
        std::ranges::copy(source.bytes(), packet.begin() + 12);
        std::ranges::copy(destination.bytes(), packet.begin() + 16);
    } else {
        header = 40;
        packet[0] = 0x60;
        store_be16(packet.data() + 4, size - 40);
        packet[6] = 17;
        packet[7] = 64;
        std::ranges::copy(source.bytes(), packet.begin() + 8);
        std::ranges::copy(destination.bytes(), packet.begin() + 24);
    }
    store_be16(packet.data() + header + 4, size - header);
    store_be32(packet.data() + size - 4, number);
    return packet;
}

/// One that a host of most of these worlds may send to its peer.
inline const Datagram ping = numbered_packet("10.0.0.1", "10.0.0.2", 1);
inline std::uint32_t number_of(const Datagram& packet) {
    return load_be32(packet.data() + packet.size() - 4);
}

class World;

/// One tunnel with an address on the outside.
struct Host {
    Host(crypto::CipherProvider& ciphers, UdpAddress at) : tunnel(ciphers), address(at) {}

    Tunnel tunnel;
    Actions actions;
    UdpAddress address;
    std::vector<Datagram> delivered;
    std::vector<Datagram> errors;

    PublicKey key() const { return tunnel.identity()->public_key; }
};

class World {
  public:
    Link link;
    std::mt19937 random{1};
    Now now{Instant(std::chrono::hours(1)),
            std::chrono::system_clock::time_point(std::chrono::hours(24 * 365 * 50))};
    /// Sees every datagram as it is sent; may change it. Returns whether it goes on.
    std::function<bool(Datagram&, UdpAddress& from, UdpAddress& to)> tap;
    std::size_t datagrams = 0;
    std::map<std::uint32_t, std::size_t> sent_types; ///< message type -> how many

    World() : ciphers_(crypto::fastest_cipher("libsodium")) {}

    /// A host with a fresh key at 192.0.2.N:51820, up.
    Host& add_host() {
        const auto last = std::to_string(hosts_.size() + 1);
        hosts_.push_back(std::make_unique<Host>(
            *ciphers_, UdpAddress{*IpAddress::parse("192.0.2." + last), 51820, 0}));
        Host& host = *hosts_.back();
        host.tunnel.set_private_key(generate_private_key());
        host.tunnel.set_up(true, now, host.actions);
        return host;
    }

    /// Makes `other` a peer of `host`, with an endpoint if wanted.
    Peer& add_peer(Host& host, const Host& other, const char* allowed, bool endpoint = true) {
        Peer& peer = *host.tunnel.add_peer(other.key());
        host.tunnel.allowed_ips().insert(*Prefix::parse(allowed), peer);
        if (endpoint) host.tunnel.set_endpoint(peer, other.address, now, host.actions);
        return peer;
    }

    /// Two hosts, 10.0.0.1 and 10.0.0.2, that are each other's peers.
    std::pair<Host*, Host*> make_pair(bool second_knows_first = true) {
        Host& a = add_host();
        Host& b = add_host();
        add_peer(a, b, "10.0.0.2/32");
        add_peer(b, a, "10.0.0.1/32", second_knows_first);
        return {&a, &b};
    }

    /// Gives a packet to the host's tunnel as its TUN device would.
    void send(Host& host, Datagram packet) {
        const std::size_t size = packet.size();
        packet.resize(size + padding_multiple);
        auto segments = Segmenter::start({}, MutableBytes(packet).first(size));
        if (segments) host.tunnel.on_tun(*segments, now, host.actions);
        collect(host);
    }

    /// Lets a datagram arrive at the host now, or several that the kernel joined.
    void arrive(Host& host, Datagram datagram, const UdpAddress& from, std::uint8_t tos = 0,
                std::size_t segment_size = 0) {
        Received received;
        received.bytes = datagram;
        received.segment_size = segment_size == 0 ? datagram.size() : segment_size;
        received.path = {from, {host.address.ip, 1}};
        received.tos = tos;
        host.tunnel.on_udp(received, now, host.actions);
        collect(host);
        host.tunnel.work(1000, now, host.actions);
        collect(host);
    }

    /// Time passes: what is due in it happens, in order.
    void run_for(std::chrono::nanoseconds duration) {
        const Instant end = now.boot + duration;
        for (auto& host : hosts_) collect(*host);
        for (;;) {
            Instant next = in_flight_.empty() ? never : in_flight_.begin()->first;
            for (const auto& host : hosts_) next = std::min(next, host->tunnel.next_timer());
            if (next > end) break;
            advance(std::max(next, now.boot));
            step();
        }
        advance(end);
    }
    void run_until_quiet() { run_for(std::chrono::seconds(1)); }

    /// Moves the clock without anything happening, as if the machine slept.
    void sleep_for(std::chrono::nanoseconds duration) { advance(now.boot + duration); }

    /// A peer's own bookkeeping, from the other's key.
    static Peer& peer_of(Host& host, const Host& other) {
        return *host.tunnel.find_peer(other.key());
    }

  private:
    struct Flying {
        UdpAddress from;
        UdpAddress to;
        std::uint8_t tos = 0;
        Datagram bytes;
    };

    void advance(Instant to) {
        now.wall += std::chrono::duration_cast<std::chrono::system_clock::duration>(to - now.boot);
        now.boot = to;
    }

    void step() {
        while (!in_flight_.empty() && in_flight_.begin()->first <= now.boot) {
            Flying flying = std::move(in_flight_.begin()->second);
            in_flight_.erase(in_flight_.begin());
            for (auto& host : hosts_)
                if (host->address == flying.to)
                    arrive(*host, flying.bytes, flying.from, flying.tos);
        }
        for (auto& host : hosts_) {
            if (host->tunnel.next_timer() <= now.boot)
                host->tunnel.on_timer(64, now, host->actions);
            collect(*host);
        }
    }

    bool happens(double probability) {
        return std::uniform_real_distribution<>(0, 1)(random) < probability;
    }

    /// Takes what the tunnel wants done.
    void collect(Host& host) {
        for (const auto& train : host.actions.send.trains()) {
            const auto bytes = host.actions.send.bytes(train);
            for (std::size_t at = 0; at < bytes.size(); at += train.segment_size) {
                const auto one = bytes.subspan(at, std::min(train.segment_size, bytes.size() - at));
                launch(
                    {host.address, train.path.remote, train.tos, Datagram(one.begin(), one.end())});
            }
        }
        for (const auto& packet : host.actions.deliver)
            host.delivered.emplace_back(packet.begin(), packet.end());
        for (const auto& error : host.actions.errors)
            host.errors.emplace_back(error.bytes.begin(),
                                     error.bytes.begin() + static_cast<std::ptrdiff_t>(error.size));
        host.actions.clear();
    }

    void launch(Flying flying) {
        ++datagrams;
        ++sent_types[load_le32(flying.bytes.data())];
        if (tap && !tap(flying.bytes, flying.from, flying.to)) return;
        for (int copies = happens(link.duplication) ? 2 : 1; copies > 0; --copies) {
            if (happens(link.loss)) continue;
            auto delay = link.delay;
            if (link.jitter.count() > 0)
                delay += std::chrono::nanoseconds(
                    random() % static_cast<std::uint64_t>(link.jitter.count()));
            in_flight_.emplace(now.boot + delay, flying);
        }
    }

    std::unique_ptr<crypto::CipherProvider> ciphers_;
    std::vector<std::unique_ptr<Host>> hosts_;
    std::multimap<Instant, Flying> in_flight_;
};

} // namespace wgkit::test
