// Handshakes: sections 5.3, 5.4.2 to 5.4.4 and 6 of the paper, and the kernel's noise.c and
// receive.c.
#include <algorithm>

#include "engine/tunnel.hpp"

namespace wgkit::engine {

/// Under load, and for a second after: many wait.
bool Tunnel::is_under_load(Instant now) {
    if (waiting_count_ >= loaded_from) loaded_until_ = now + under_load_for;
    return now < loaded_until_;
}

/// The cheap half: one or two macs. What passes waits for `work`.
void Tunnel::receive_handshake(Bytes message, const Path& path, const Now& now, Actions& actions) {
    if (waiting_count_ == most_waiting_handshakes) {
        ++counters_.queue_full;
        loaded_until_ = now.boot + under_load_for;
        return;
    }
    if (!checker_ || !checker_->has_valid_mac1(message)) {
        ++counters_.bad_mac1;
        return;
    }
    const bool loaded = is_under_load(now.boot);
    if (loaded
        && !(CookieChecker::has_mac2(message)
             && checker_->has_valid_mac2(message, path.remote, now.boot))) {
        // Askers may lie about their address: strict only while there are very many.
        const unsigned most =
            askers_.allowed() < plenty_of_cookies ? most_cookies_each : fewest_cookies_each;
        if (!askers_.allow(path.remote.ip, most, now.boot)) {
            ++counters_.rate_limited;
            return;
        }
        const CookieReply reply = checker_->reply(message, path.remote, now.boot);
        if (actions.send.append_copy(path, 0, reply))
            ++counters_.cookies_sent;
        else
            ++counters_.send_full;
        return;
    }
    if (loaded && !limiter_.allow(path.remote.ip, now.boot)) {
        ++counters_.rate_limited;
        return;
    }
    if (waiting_.empty()) waiting_.resize(most_waiting_handshakes);
    Waiting& slot = waiting_[(waiting_first_ + waiting_count_++) % most_waiting_handshakes];
    std::copy(message.begin(), message.end(), slot.message.begin());
    slot.size = static_cast<std::uint8_t>(message.size());
    slot.path = path;
}

void Tunnel::work(std::size_t budget, const Now& now, Actions& actions) {
    for (; budget > 0 && waiting_count_ > 0 && actions.send.has_room(); --budget) {
        const Waiting& slot = waiting_[waiting_first_];
        const Bytes message = Bytes(slot.message).first(slot.size);
        if (slot.size == initiation::size)
            consume_initiation(message, slot.path, now, actions);
        else
            consume_response(message, slot.path, now, actions);
        waiting_first_ = (waiting_first_ + 1) % most_waiting_handshakes;
        --waiting_count_;
    }
}

void Tunnel::receive_cookie(Bytes message, const Now& now) {
    const IndexEntry entry = indices_.find(load_le32(message.data() + cookie_reply::receiver));
    if (entry.peer == nullptr) {
        ++counters_.unknown_index;
        return;
    }
    // The peer's address stays as it is: anybody on the way could have sent this.
    if (entry.peer->cookies.consume(entry.peer->public_key, message, now.boot))
        ++counters_.cookies_received;
    else
        ++counters_.bad_handshake;
}

void Tunnel::consume_initiation(Bytes message, const Path& path, const Now& now, Actions& actions) {
    if (!identity_) return;
    auto responder = Responder::open(*identity_, message);
    Peer* peer = responder ? find_peer(responder->peer()) : nullptr;
    if (peer == nullptr) {
        ++counters_.bad_handshake;
        return;
    }
    const auto timestamp = responder->authenticate(*identity_, peer->static_static, message);
    if (!timestamp || *timestamp <= peer->newest_timestamp) {
        ++counters_.bad_handshake; // forged or replayed
        return;
    }
    if (peer->last_consumed > now.boot - least_initiation_gap) {
        ++counters_.rate_limited;
        return;
    }
    peer->newest_timestamp = *timestamp;
    peer->last_consumed = now.boot;
    peer->path = path;
    peer->received_bytes += message.size();
    peer->timers.any_authenticated_received();
    ++counters_.initiations_received;
    if (!up_) return;

    const std::uint32_t index = indices_.add(*peer);
    Response response;
    const auto keys =
        responder->respond(peer->preshared_key ? &*peer->preshared_key : nullptr, index, response);
    if (!keys) {
        indices_.remove(index);
        ++counters_.bad_handshake;
        return;
    }
    // Not used for sending until the initiator has shown that it has the keys.
    drop_session(peer->previous);
    drop_session(peer->next);
    peer->next = make_session(*peer, index, responder->remote_index(), *keys, false, now.boot);
    send_handshake(*peer, response, now, actions);
    ++counters_.responses_sent;
    arm(*peer);
}

void Tunnel::consume_response(Bytes message, const Path& path, const Now& now, Actions& actions) {
    const IndexEntry entry = indices_.find(load_le32(message.data() + response::receiver));
    if (!identity_ || entry.peer == nullptr || entry.session != nullptr || !entry.peer->initiator) {
        ++counters_.unknown_index;
        return;
    }
    Peer& peer = *entry.peer;
    const auto keys = peer.initiator->finish(
        *identity_, peer.preshared_key ? &*peer.preshared_key : nullptr, message);
    if (!keys) {
        ++counters_.bad_handshake;
        return;
    }
    const std::uint32_t index = peer.initiator->local_index();
    peer.initiator.reset();
    peer.path = path;
    peer.received_bytes += message.size();
    peer.timers.any_authenticated_received();
    peer.timers.any_authenticated_traversal(now.boot);
    ++counters_.responses_received;

    // Noise: if the peer began a handshake as well, its session stays usable for receiving.
    drop_session(peer.previous);
    if (peer.next) {
        peer.previous = std::move(peer.next);
        drop_session(peer.current);
    } else {
        peer.previous = std::move(peer.current);
    }
    const std::uint32_t remote = load_le32(message.data() + response::sender);
    peer.current = make_session(peer, index, remote, *keys, true, now.boot);
    handshake_complete(peer, now);
    send_keepalive(peer, now, actions); // or what waits: either confirms the keys to the responder
    arm(peer);
}

std::unique_ptr<Session> Tunnel::make_session(Peer& peer, std::uint32_t local, std::uint32_t remote,
                                              const SessionKeys& keys, bool is_initiator,
                                              Instant now) {
    auto session = std::make_unique<Session>();
    session->sending = ciphers_.make(keys.send.bytes());
    session->receiving = ciphers_.make(keys.receive.bytes());
    session->local_index = local;
    session->remote_index = remote;
    session->created = now;
    session->is_initiator = is_initiator;
    indices_.set_session(local, *session);
    peer.timers.session_derived(now);
    return session;
}

void Tunnel::handshake_complete(Peer& peer, const Now& now) {
    peer.timers.handshake_complete();
    peer.sent_last_minute_handshake = false;
    peer.last_handshake = now.wall;
    ++counters_.handshakes_completed;
}

/// Begins a handshake, unless one of our messages went out less than REKEY_TIMEOUT ago.
void Tunnel::initiate(Peer& peer, bool is_retry, const Now& now, Actions& actions) {
    if (!is_retry) peer.timers.attempts = 0;
    if (!up_ || !identity_ || !peer.path) return;
    if (peer.last_sent_handshake > now.boot - rekey_timeout) return;

    drop_initiator(peer);
    const std::uint32_t index = indices_.add(peer);
    Initiation message;
    peer.newest_sent = std::max(now.wall, peer.newest_sent + timestamp_step);
    peer.initiator = Initiator::create(*identity_, peer.public_key, peer.static_static, index,
                                       peer.newest_sent, message);
    if (!peer.initiator) { // a key of low order: it may be configured, but is never used
        indices_.remove(index);
        return;
    }
    send_handshake(peer, message, now, actions);
    peer.timers.initiation_sent(now.boot, jitter_);
    ++counters_.initiations_sent;
    arm(peer);
}

} // namespace wgkit::engine
