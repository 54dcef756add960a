// From the network to the TUN device: section 5.4.6 of the paper, in the order of the kernel's
// receive.c. Nothing of a packet is looked at before its tag is known to be right.
#include "engine/packet.hpp"
#include "engine/tunnel.hpp"

namespace wgkit::engine {

/// Messages of one session that came together; what they change is written down once.
struct Tunnel::Run {
    std::uint32_t index = 0;
    Peer* peer = nullptr;
    Session* session = nullptr;
    std::uint64_t bytes = 0; ///< of authentic messages
    bool any_data = false;
    // The source address that was looked up last, and who owns it.
    AddressBits source;
    Family family = Family::ipv4;
    const AllowedIpsOwner* owner = nullptr;
};

void Tunnel::on_udp(const Received& received, const Now& now, Actions& actions) {
    Run run;
    for (std::size_t at = 0; at < received.bytes.size(); at += received.segment_size) {
        const auto message =
            received.bytes.subspan(at, std::min(received.segment_size, received.bytes.size() - at));
        const std::uint32_t type = message.size() < 4 ? 0 : load_le32(message.data());
        if (type == static_cast<std::uint32_t>(MessageType::data)
            && message.size() >= data::overhead) {
            receive_data(message, received, run, now, actions);
            continue;
        }
        const auto is = [&](MessageType wanted, std::size_t size) {
            return type == static_cast<std::uint32_t>(wanted) && message.size() == size;
        };
        if (is(MessageType::initiation, initiation::size)
            || is(MessageType::response, response::size))
            receive_handshake(message, received.path, now, actions);
        else if (is(MessageType::cookie, cookie_reply::size))
            receive_cookie(message, now);
        else
            ++counters_.malformed;
    }
    finish_run(run, received, now, actions);
}

void Tunnel::receive_data(MutableBytes message, const Received& received, Run& run, const Now& now,
                          Actions& actions) {
    const std::uint32_t index = load_le32(message.data() + data::receiver);
    if (run.session == nullptr || index != run.index) {
        finish_run(run, received, now, actions);
        const IndexEntry entry = indices_.find(index);
        if (entry.session == nullptr) {
            ++counters_.unknown_index;
            return;
        }
        run.index = index;
        run.peer = entry.peer;
        run.session = entry.session;
    }
    Session& session = *run.session;
    const std::uint64_t counter = load_le64(message.data() + data::counter);
    if (!session.is_fresh(now.boot) || counter >= reject_after_messages) {
        ++counters_.expired_session;
        return;
    }
    if (!session.receiving->open(counter, message.subspan(data::packet))) {
        ++counters_.bad_tag;
        return;
    }
    if (!session.received.accept(counter)) {
        ++counters_.replayed;
        return;
    }
    run.bytes += message.size();

    MutableBytes packet = message.subspan(data::packet, message.size() - data::overhead);
    if (packet.empty()) {
        ++counters_.keepalives_received;
        return;
    }
    run.any_data = true;
    const auto length = inner_length(packet);
    if (!length) {
        ++counters_.bad_packet;
        return;
    }
    packet = packet.first(*length); // the rest is padding
    const PacketAddress source = source_of(packet);
    if (run.owner == nullptr || source.bits != run.source || source.family != run.family) {
        run.source = source.bits;
        run.family = source.family;
        run.owner = allowed_ips_.find(source.bits, source.family);
    }
    if (run.owner != run.peer) {
        ++counters_.wrong_source;
        return;
    }
    decapsulate_ecn(packet, received.tos);
    ++counters_.packets_received;
    actions.deliver.push_back(packet);
}

/// What authentic messages change, whether or not their packets were delivered.
void Tunnel::finish_run(Run& run, const Received& received, const Now& now, Actions& actions) {
    if (run.bytes == 0) {
        run = {};
        return;
    }
    Peer& peer = *run.peer;
    if (peer.path != received.path) peer.path = received.path;
    if (run.session == peer.next.get()) {
        // The initiator has the keys: the session is confirmed.
        drop_session(peer.previous);
        peer.previous = std::move(peer.current);
        peer.current = std::move(peer.next);
        handshake_complete(peer, now);
        send_staged(peer, now, actions);
    }
    peer.received_bytes += run.bytes;

    peer.timers.any_authenticated_received();
    peer.timers.any_authenticated_traversal(now.boot);
    if (run.any_data) peer.timers.data_received(now.boot);
    if (peer.current && !peer.sent_last_minute_handshake && peer.current->is_initiator
        && peer.current->may_send && now.boot - peer.current->created >= rekey_on_receive_after) {
        peer.sent_last_minute_handshake = true;
        initiate(peer, false, now, actions);
    }
    arm(peer);
    run = {};
}

} // namespace wgkit::engine
