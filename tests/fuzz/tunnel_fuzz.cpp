// Two tunnels talk while somebody on the way, who knows their public keys, repeats, changes and
// invents datagrams. Whatever he does: only packets that were sent are delivered, once each; no
// forgery counts as authentic or moves a peer's address; left alone, the tunnels work again.
#include <cstdlib>
#include <set>

#include "support/packet_stream.hpp"
#include "support/tunnel_world.hpp"

using namespace wgkit;
using namespace wgkit::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_steps = 120;
constexpr std::size_t most_captured = 64;
constexpr std::size_t most_invented = 255;

void require(bool holds) {
    if (!holds) std::abort();
}

PrivateKey fixed_key(std::uint8_t fill) {
    std::array<std::uint8_t, key_bytes> bytes;
    bytes.fill(fill);
    bytes[0] &= 0xf8;
    bytes[31] = 0x41;
    return PrivateKey(bytes);
}

/// How many messages the tunnel took for its peer's.
std::uint64_t authentic(const Host& host) {
    const Counters& c = host.tunnel.counters();
    return c.initiations_received + c.responses_received + c.packets_received
           + c.keepalives_received + c.bad_packet + c.wrong_source + c.cookies_received;
}

class Attack {
  public:
    explicit Attack(std::span<const std::uint8_t> input) : drawer_(input) {
        auto [a, b] = world_.make_pair();
        hosts_ = {a, b};
        for (std::size_t i = 0; i < 2; ++i) {
            hosts_[i]->tunnel.remove_all_peers();
            hosts_[i]->tunnel.set_private_key(fixed_key(static_cast<std::uint8_t>(0x50 + i)));
        }
        for (std::size_t i = 0; i < 2; ++i) world_.add_peer(*hosts_[i], *hosts_[1 - i], allowed(i));
        world_.tap = [this](Datagram& datagram, UdpAddress& from, UdpAddress&) {
            if (captured_.size() == most_captured) captured_.erase(captured_.begin());
            captured_.push_back({datagram, from == hosts_[0]->address ? 1U : 0U});
            seen_.insert(authentic_part(datagram));
            return passes_;
        };
    }

    void run() {
        for (std::size_t i = 0; i < most_steps && !drawer_.is_empty(); ++i) {
            step();
            check_deliveries();
        }
        passes_ = true;
        check_alive();
        check_deliveries();
    }

  private:
    struct Captured {
        Datagram bytes;
        std::size_t to; ///< which host
    };

    static const char* allowed(std::size_t host) {
        return host == 0 ? "10.0.0.2/32" : "10.0.0.1/32";
    }
    Peer& peer(std::size_t host) { return World::peer_of(*hosts_[host], *hosts_[1 - host]); }

    void step() {
        const std::uint8_t kind = drawer_.byte();
        const std::size_t to = kind >> 7;
        switch (kind % 12) {
        case 0:
        case 1:
            send(to);
            break;
        case 2:
            world_.run_for(std::chrono::milliseconds(drawer_.byte()));
            break;
        case 3: // up to beyond the life of a session
            world_.run_for(std::chrono::seconds(drawer_.byte()));
            break;
        case 4:
            passes_ = !passes_;
            break;
        case 5:
            invent(to);
            break;
        case 6:
        case 7:
            change();
            break;
        case 8:
            repeat();
            break;
        case 9:
            flood(to);
            break;
        case 10:
            join(to);
            break;
        default:
            configure(to);
            break;
        }
    }

    void send(std::size_t from) {
        const auto packet =
            numbered_packet(from == 0 ? "10.0.0.1" : "10.0.0.2",
                            from == 0 ? "10.0.0.2" : "10.0.0.1", ++number_, 40 + drawer_.byte());
        sent_[1 - from].insert(packet);
        world_.send(*hosts_[from], packet);
    }

    void invent(std::size_t to) {
        Datagram bytes(drawer_.byte() % most_invented + 1);
        bytes[0] = drawer_.byte() % 6;
        for (std::size_t i = 4; i < bytes.size() && !drawer_.is_empty(); ++i)
            bytes[i] = drawer_.byte();
        finish(bytes, to);
        arrive(std::move(bytes), to);
    }

    void change() {
        if (captured_.empty()) return;
        const Captured& one = captured_[drawer_.byte() % captured_.size()];
        Datagram bytes = one.bytes;
        const std::uint8_t how = drawer_.byte();
        const std::size_t at = drawer_.byte() % bytes.size();
        switch (how % 4) {
        case 0:
            bytes[at] ^= static_cast<std::uint8_t>(1U << (how >> 5));
            break;
        case 1:
            bytes.resize(at + 1);
            break;
        case 2:
            bytes.resize(bytes.size() + at + 1);
            break;
        default: // the rest from another datagram
            const Captured& other = captured_[drawer_.byte() % captured_.size()];
            for (std::size_t i = at; i < std::min(bytes.size(), other.bytes.size()); ++i)
                bytes[i] = other.bytes[i];
        }
        const std::size_t to = (how & 0x10) != 0 ? 1 - one.to : one.to;
        if ((how & 8) != 0) finish(bytes, to);
        arrive(std::move(bytes), to);
    }

    void repeat() {
        if (captured_.empty()) return;
        const Captured one = captured_[drawer_.byte() % captured_.size()];
        arrive(one.bytes, one.to);
    }

    /// Enough initiations with a valid mac1 that the host is under load: they all come before any
    /// is answered.
    void flood(std::size_t to) {
        Datagram bytes(initiation::size);
        bytes[0] = 1;
        for (std::size_t i = 0; i < 8; ++i) bytes[8 + i] = drawer_.byte();
        finish(bytes, to);
        Datagram many;
        for (int i = 0; i < 140; ++i) many.insert(many.end(), bytes.begin(), bytes.end());
        arrive(std::move(many), to, initiation::size);
    }

    /// Several datagrams as UDP_GRO joins them; it does not care what they are.
    void join(std::size_t to) {
        if (captured_.empty()) return;
        Datagram many;
        for (int count = drawer_.byte() % 8; count >= 0; --count) {
            const auto& one = captured_[drawer_.byte() % captured_.size()].bytes;
            many.insert(many.end(), one.begin(), one.end());
        }
        const std::size_t first = load_le32(many.data()) == 4 ? drawer_.byte() : 0;
        arrive(std::move(many), to, first == 0 ? 148 : first);
    }

    void configure(std::size_t at) {
        Tunnel& tunnel = hosts_[at]->tunnel;
        Actions& actions = hosts_[at]->actions;
        const std::uint8_t how = drawer_.byte();
        switch (how % 4) {
        case 0:
            tunnel.remove_peer(peer(at));
            world_.add_peer(*hosts_[at], *hosts_[1 - at], allowed(at));
            break;
        case 1:
            tunnel.set_up(false, world_.now, actions);
            tunnel.set_up(true, world_.now, actions);
            break;
        case 2:
            tunnel.set_persistent_keepalive(peer(at), std::chrono::seconds(how >> 2), world_.now,
                                            actions);
            break;
        default:
            tunnel.set_endpoint(peer(at), hosts_[1 - at]->address, world_.now, actions);
        }
    }

    /// What anybody can add who knows the receiver's public key.
    void finish(Datagram& bytes, std::size_t to) {
        if (bytes.size() != initiation::size && bytes.size() != response::size) return;
        CookieJar{}.add_macs(hosts_[to]->key(), bytes, world_.now.boot);
    }

    /// A message without the fields that whoever repeats it may change: the sender's index and
    /// the macs of a handshake message are in neither transcript nor tag.
    static Datagram authentic_part(Datagram bytes) {
        const std::uint32_t type = bytes.size() < 8 ? 0 : load_le32(bytes.data());
        if (type != 1 && type != 2) return bytes;
        store_le32(bytes.data() + 4, 0);
        if (type == 1 && bytes.size() == initiation::size) bytes.resize(initiation::mac1);
        if (type == 2 && bytes.size() == response::size) bytes.resize(response::mac1);
        return bytes;
    }

    void arrive(Datagram bytes, std::size_t to, std::size_t segment_size = 0) {
        if (segment_size == 0) segment_size = bytes.size();
        bool is_forged = true;
        for (std::size_t at = 0; at < bytes.size(); at += segment_size) {
            const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
            const auto size = std::min(segment_size, bytes.size() - at);
            is_forged = is_forged
                        && !seen_.contains(authentic_part(
                            Datagram(first, first + static_cast<std::ptrdiff_t>(size))));
        }
        const std::uint64_t before = authentic(*hosts_[to]);
        const std::uint64_t replayed = hosts_[to]->tunnel.counters().replayed;
        const auto path = peer(to).path;
        world_.arrive(*hosts_[to], std::move(bytes), attacker_, 0, segment_size);
        const bool taken = authentic(*hosts_[to]) != before;
        require(!is_forged || (!taken && hosts_[to]->tunnel.counters().replayed == replayed));
        require(taken || peer(to).path == path);
    }

    void check_deliveries() {
        for (std::size_t i = 0; i < 2; ++i) {
            for (const auto& packet : hosts_[i]->delivered) require(sent_[i].erase(packet) == 1);
            hosts_[i]->delivered.clear();
        }
    }

    /// After more time than a handshake in vain takes, packets pass both ways.
    void check_alive() {
        for (std::size_t i = 0; i < 2; ++i)
            hosts_[i]->tunnel.set_endpoint(peer(i), hosts_[1 - i]->address, world_.now,
                                           hosts_[i]->actions);
        world_.run_for(reject_after_time + rekey_attempt_time + 10s);
        for (std::size_t i = 0; i < 2; ++i) {
            // A peer whose address a repeated handshake moved learns it again from the other.
            send(0);
            send(1);
            world_.run_for(rekey_timeout + 1s);
        }
        check_deliveries();
        for (std::size_t i = 0; i < 2; ++i) send(i);
        world_.run_for(1s);
        for (const auto& host : hosts_) require(!host->delivered.empty());
    }

    Drawer drawer_;
    World world_;
    std::array<Host*, 2> hosts_{};
    UdpAddress attacker_{*IpAddress::parse("198.51.100.66"), 666, 0};
    std::vector<Captured> captured_;
    std::set<Datagram> seen_;
    std::array<std::set<Datagram>, 2> sent_; ///< to each host, and not yet delivered
    std::uint32_t number_ = 0;
    bool passes_ = true;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Attack({data, size}).run();
    return 0;
}
