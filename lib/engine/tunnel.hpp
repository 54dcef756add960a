#pragma once

#include <array>
#include <list>
#include <optional>
#include <unordered_map>

#include "engine/actions.hpp"
#include "engine/counters.hpp"
#include "engine/index_table.hpp"
#include "engine/peer.hpp"
#include "engine/rate_limiter.hpp"
#include "engine/segmenter.hpp"
#include "engine/source_sketch.hpp"

namespace wgkit::engine {

/// What came from the network: one datagram, or several of one size (the last may be shorter) that
/// the kernel joined (UDP_GRO), from one sender to one of our addresses.
struct Received {
    MutableBytes bytes;
    std::size_t segment_size = 0;
    Path path;
    std::uint8_t tos = 0; ///< of the outer packets; only its ECN bits matter
};

/// The WireGuard protocol for one device, without any I/O and without a clock: it is told what came
/// in and what time it is, and says what to send and deliver.
/// Threads: one at a time. Source: the WireGuard paper; the kernel's module where the paper is
/// silent.
class Tunnel {
  public:
    explicit Tunnel(crypto::CipherProvider& ciphers);

    // Configuration

    /// Nothing clears it. All sessions stop sending and handshakes begin anew; a peer with our own
    /// public key is removed.
    void set_private_key(std::optional<PrivateKey> key);
    const Identity* identity() const { return identity_ ? &*identity_ : nullptr; }

    using Peers = std::list<Peer>; ///< in the order they were added
    const Peers& peers() const { return peers_; }
    Peers& peers() { return peers_; }
    Peer* find_peer(const PublicKey& key);
    /// Nothing for our own key, and beyond most_peers. The peer that has the key, if there is one.
    Peer* add_peer(const PublicKey& key);
    void remove_peer(Peer& peer);
    void remove_all_peers();

    /// Takes effect with the next handshake.
    void set_preshared_key(Peer& peer, std::optional<PresharedKey> key);
    void set_endpoint(Peer& peer, const UdpAddress& endpoint, const Now& now, Actions& actions);
    void set_persistent_keepalive(Peer& peer, std::chrono::seconds interval, const Now& now,
                                  Actions& actions);
    AllowedIps& allowed_ips() { return allowed_ips_; }

    /// Units: bytes of inner packets; bounds the padding.
    void set_mtu(std::size_t mtu) { mtu_ = mtu; }
    /// Where the sockets are bound: tells our own messages if they are routed into the tunnel.
    void set_listen_port(std::uint16_t port) { listen_port_ = port; }
    /// A device that is down sends nothing and has no sessions.
    void set_up(bool up, const Now& now, Actions& actions);
    bool is_up() const { return up_; }
    /// Sends what waits: after peers were configured.
    void start_peer(Peer& peer, const Now& now, Actions& actions);
    /// Our port or mark changed: remembered source addresses are void.
    void forget_sources();
    /// Packets can no longer be sent from this path's source, whoever it leads to.
    void forget_source(const Path& path);

    // Traffic. Call only while `actions.send.has_room()`.

    /// Handshake messages are only checked and put aside for `work`.
    void on_udp(const Received& received, const Now& now, Actions& actions);
    /// Packets from the TUN device; up to 15 bytes after each may be overwritten for a moment.
    void on_tun(Segmenter& packets, const Now& now, Actions& actions);
    /// Does what is due for up to `budget` peers, each perhaps a handshake of ours; call again
    /// while `next_timer()` is not later than now.
    void on_timer(std::size_t budget, const Now& now, Actions& actions);
    /// Answers up to `budget` handshake messages. The expensive part: some X25519 each.
    void work(std::size_t budget, const Now& now, Actions& actions);
    bool has_work() const { return waiting_count_ > 0; }

    Instant next_timer() const { return queue_.next(); }
    const Counters& counters() const { return counters_; }

  private:
    // receive.cpp
    struct Run;
    void receive_data(MutableBytes message, const Received& received, Run& run, const Now& now,
                      Actions& actions);
    void finish_run(Run& run, const Received& received, const Now& now, Actions& actions);
    // handshake.cpp
    void receive_handshake(Bytes message, const Path& path, const Now& now, Actions& actions);
    void receive_cookie(Bytes message, const Now& now);
    void consume_initiation(Bytes message, const Path& path, const Now& now, Actions& actions);
    void consume_response(Bytes message, const Path& path, const Now& now, Actions& actions);
    void initiate(Peer& peer, bool is_retry, const Now& now, Actions& actions);
    bool is_under_load(Instant now);
    std::unique_ptr<Session> make_session(Peer& peer, std::uint32_t local, std::uint32_t remote,
                                          const SessionKeys& keys, bool is_initiator, Instant now);
    void handshake_complete(Peer& peer, const Now& now);
    // send.cpp
    void seal(Peer& peer, Session& session, MutableBytes packet, std::size_t padded,
              std::uint8_t tos, Actions& actions);
    void after_sending(Peer& peer, Session& session, bool data, const Now& now, Actions& actions);
    void send_staged(Peer& peer, const Now& now, Actions& actions);
    void send_keepalive(Peer& peer, const Now& now, Actions& actions);
    void send_handshake(Peer& peer, MutableBytes message, const Now& now, Actions& actions);
    bool is_own_message(const Peer& peer, Bytes packet) const;
    void refuse(Bytes packet, const Now& now, Actions& actions);
    std::size_t padded_size(std::size_t size) const;
    // tunnel.cpp
    void fire(Peer& peer, const Now& now, Actions& actions);
    void stop(Peer& peer);
    void drop_sessions(Peer& peer);
    void drop_initiator(Peer& peer);
    void drop_session(std::unique_ptr<Session>& session);
    void arm(Peer& peer) { queue_.at_latest(peer, peer.timers.earliest()); }

    crypto::CipherProvider& ciphers_;
    std::optional<Identity> identity_;
    std::optional<CookieChecker> checker_;
    Peers peers_;
    std::unordered_map<PublicKey, Peers::iterator> by_key_;
    AllowedIps allowed_ips_;
    StagedTotal staged_total_ = 0;
    IndexTable indices_;
    TimerQueue<Peer> queue_;
    /// Handshakes of senders that have shown their address.
    RateLimiter limiter_;
    /// Askers for cookies, who may lie about their address. Loud ones are not answered; an honest
    /// one asks once in five seconds.
    SourceSketch askers_;
    Timers::Jitter jitter_;
    std::size_t mtu_ = default_mtu;
    std::uint16_t listen_port_ = 0;
    bool up_ = false;
    Counters counters_;

    /// Initiations and responses that wait for `work`: a ring.
    struct Waiting {
        Initiation message;
        std::uint8_t size = 0;
        Path path;
    };
    std::vector<Waiting> waiting_;
    std::size_t waiting_first_ = 0;
    std::size_t waiting_count_ = 0;
    Instant loaded_until_ = Instant::min();

    /// Tokens for ICMP errors.
    std::size_t error_credit_ = 0;
    Instant error_credit_at_{};
};

} // namespace wgkit::engine
