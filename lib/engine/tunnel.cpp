#include "engine/tunnel.hpp"

namespace wgkit::engine {

namespace {

std::uint32_t random_seed() {
    std::uint32_t seed = 0;
    crypto::random_bytes({reinterpret_cast<std::uint8_t*>(&seed), sizeof seed});
    return seed;
}

} // namespace

Tunnel::Tunnel(crypto::CipherProvider& ciphers) : ciphers_(ciphers), jitter_(random_seed()) {}

void Tunnel::set_private_key(std::optional<PrivateKey> key) {
    if (key && identity_ && equal(*key, identity_->private_key)) return;
    identity_.reset();
    checker_.reset();
    if (key) {
        identity_.emplace(std::move(*key));
        checker_.emplace(identity_->public_key);
        if (Peer* self = find_peer(identity_->public_key)) remove_peer(*self);
    }
    waiting_count_ = 0; // meant for the old key
    for (Peer& peer : peers_) {
        peer.static_static.forget();
        drop_initiator(peer);
        drop_session(peer.next);
        if (peer.current) peer.current->may_send = false;
        peer.last_sent_handshake = Instant::min();
    }
}

Peer* Tunnel::find_peer(const PublicKey& key) {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? nullptr : &*found->second;
}

Peer* Tunnel::add_peer(const PublicKey& key) {
    if (Peer* known = find_peer(key)) return known;
    if ((identity_ && identity_->public_key == key) || peers_.size() >= most_peers) return nullptr;
    peers_.emplace_back(key);
    by_key_.emplace(key, std::prev(peers_.end()));
    return &peers_.back();
}

void Tunnel::remove_peer(Peer& peer) {
    stop(peer);
    allowed_ips_.remove_all(peer);
    const auto found = by_key_.find(peer.public_key);
    const auto position = found->second;
    by_key_.erase(found);
    peers_.erase(position);
}

void Tunnel::remove_all_peers() {
    while (!peers_.empty()) remove_peer(peers_.front());
}

void Tunnel::set_preshared_key(Peer& peer, std::optional<PresharedKey> key) {
    peer.preshared_key = std::move(key);
}

void Tunnel::set_endpoint(Peer& peer, const UdpAddress& endpoint, const Now& now,
                          Actions& actions) {
    const bool changed = !peer.path || peer.path->remote != endpoint;
    peer.path = Path{endpoint, {}};
    // A handshake that waits for an answer from the old address need not wait for its time to end.
    const bool has_session = peer.current && peer.current->can_send(now.boot);
    if (changed && peer.initiator && !has_session) {
        peer.last_sent_handshake = Instant::min();
        initiate(peer, false, now, actions);
    }
}

void Tunnel::set_persistent_keepalive(Peer& peer, std::chrono::seconds interval, const Now& now,
                                      Actions& actions) {
    const bool turned_on = peer.timers.persistent_interval == 0s && interval > 0s;
    peer.timers.set_persistent_interval(interval);
    if (turned_on) start_peer(peer, now, actions);
    arm(peer);
}

void Tunnel::set_up(bool up, const Now& now, Actions& actions) {
    if (up == up_) return;
    up_ = up;
    for (Peer& peer : peers_) {
        if (up)
            start_peer(peer, now, actions);
        else
            stop(peer);
    }
}

void Tunnel::start_peer(Peer& peer, const Now& now, Actions& actions) {
    if (!up_) return;
    if (peer.timers.persistent_interval > 0s
        && !peer.timers.is_pending(Timer::persistent_keepalive)) {
        // By the timer: thousands of peers that are started at once must not hold the traffic up.
        peer.timers.keep_alive_at(now.boot);
        arm(peer);
    } else {
        send_staged(peer, now, actions);
    }
}

void Tunnel::forget_sources() {
    for (Peer& peer : peers_)
        if (peer.path) peer.path->source = {};
}

void Tunnel::forget_source(const Path& path) {
    for (Peer& peer : peers_)
        if (peer.path && peer.path->source == path.source) peer.path->source = {};
}

void Tunnel::on_timer(std::size_t budget, const Now& now, Actions& actions) {
    for (; budget > 0 && actions.send.has_room(); --budget) {
        Peer* peer = queue_.pop(now.boot);
        if (peer == nullptr) return;
        fire(*peer, now, actions);
        arm(*peer);
    }
}

void Tunnel::fire(Peer& peer, const Now& now, Actions& actions) {
    Timers& timers = peer.timers;
    if (timers.take(Timer::retransmit_handshake, now.boot)) {
        if (timers.attempts > most_handshake_attempts) {
            ++counters_.handshakes_given_up;
            counters_.staged_dropped += peer.staged.size();
            peer.staged.clear(staged_total_);
            drop_initiator(peer);
            timers.given_up(now.boot);
        } else {
            ++timers.attempts;
            if (peer.path) peer.path->source = {}; // perhaps it was our address that broke
            initiate(peer, true, now, actions);
        }
    }
    if (timers.take(Timer::send_keepalive, now.boot)) {
        send_keepalive(peer, now, actions);
        timers.keepalive_fired(now.boot);
    }
    if (timers.take(Timer::new_handshake, now.boot)) {
        if (peer.path) peer.path->source = {};
        initiate(peer, false, now, actions);
    }
    // A handshake that is under way stays: it may have begun just now, after a long sleep.
    if (timers.take(Timer::zero_keys, now.boot)) drop_sessions(peer);
    if (timers.take(Timer::persistent_keepalive, now.boot)) {
        send_keepalive(peer, now, actions);
        timers.any_authenticated_traversal(now.boot); // also if nothing could be sent
    }
}

/// Down: as if nothing had ever been said to the peer, but for its newest timestamp.
void Tunnel::stop(Peer& peer) {
    peer.staged.clear(staged_total_);
    peer.timers.stop();
    queue_.remove(peer);
    drop_initiator(peer);
    drop_sessions(peer);
    peer.cookies.clear();
    peer.last_sent_handshake = Instant::min();
}

void Tunnel::drop_sessions(Peer& peer) {
    drop_session(peer.previous);
    drop_session(peer.current);
    drop_session(peer.next);
}

void Tunnel::drop_initiator(Peer& peer) {
    if (!peer.initiator) return;
    indices_.remove(peer.initiator->local_index());
    peer.initiator.reset();
}

void Tunnel::drop_session(std::unique_ptr<Session>& session) {
    if (!session) return;
    indices_.remove(session->local_index);
    session.reset();
}

} // namespace wgkit::engine
