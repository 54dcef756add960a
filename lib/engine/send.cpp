// From the TUN device to the network: section 5.4.6 of the paper, in the order of the kernel's
// send.c.
#include <algorithm>

#include "engine/packet.hpp"
#include "engine/tunnel.hpp"

namespace wgkit::engine {

namespace {

constexpr std::size_t most_errors_a_second = 100;

} // namespace

void Tunnel::on_tun(Segmenter& packets, const Now& now, Actions& actions) {
    MutableBytes packet = packets.next();
    if (packet.empty()) return;
    const PacketAddress destination = destination_of(packet);
    auto* peer = static_cast<Peer*>(allowed_ips_.find(destination.bits, destination.family));
    if (peer == nullptr || !peer->path) {
        ++(peer == nullptr ? counters_.no_peer : counters_.no_endpoint);
        return refuse(packet, now, actions);
    }
    if (is_own_message(*peer, packet)) {
        ++counters_.routing_loops;
        return;
    }
    Session* session = peer->current.get();
    if (session == nullptr || !session->can_send(now.boot)) {
        for (; !packet.empty(); packet = packets.next())
            counters_.staged_dropped += peer->staged.push(packet, staged_total_);
        return initiate(*peer, false, now, actions);
    }
    const std::uint8_t tos = outer_ecn(packet);
    for (; !packet.empty(); packet = packets.next())
        seal(*peer, *session, packet, padded_size(packet.size()), tos, actions);
    after_sending(*peer, *session, true, now, actions);
}

/// Whether the packet is a message of ours to this very peer: its endpoint is routed into the
/// tunnel. Sealed again it would come back for ever, a little larger each time.
bool Tunnel::is_own_message(const Peer& peer, Bytes packet) const {
    const bool v4 = is_ipv4(packet);
    const std::size_t header = v4 ? ipv4_header_length(packet.data()) : ipv6::header;
    const std::uint8_t carried = packet[v4 ? ipv4::protocol : ipv6::next_header];
    const UdpAddress& remote = peer.path->remote;
    return carried == protocol::udp && packet.size() >= header + udp::header
           && load_be16(packet.data() + header + udp::ports) == listen_port_
           && load_be16(packet.data() + header + udp::ports + 2) == remote.port
           && v4 == remote.ip.is_v4() && destination_of(packet).bits == AddressBits::of(remote.ip);
}

/// Seals into the batch, straight out of the packet's own place: no byte is copied otherwise.
void Tunnel::seal(Peer& peer, Session& session, MutableBytes packet, std::size_t padded,
                  std::uint8_t tos, Actions& actions) {
    const std::size_t size = padded + data::overhead;
    std::uint8_t* out = actions.send.append(*peer.path, tos, size);
    if (out == nullptr) {
        ++counters_.send_full;
        return;
    }
    store_le32(out, static_cast<std::uint32_t>(MessageType::data));
    store_le32(out + data::receiver, session.remote_index);
    store_le64(out + data::counter, session.counter);

    // Padding goes where the next segment may already lie: its bytes are put back.
    std::array<std::uint8_t, padding_multiple> saved;
    const std::size_t padding = padded - packet.size();
    std::uint8_t* end = packet.data() + packet.size();
    std::memcpy(saved.data(), end, padding);
    std::memset(end, 0, padding);
    session.sending->seal(session.counter++, {packet.data(), padded}, out + data::packet);
    std::memcpy(end, saved.data(), padding);

    peer.sent_bytes += size;
    ++counters_.packets_sent;
}

/// A multiple of 16, but never more than the device's MTU, so that padding makes no fragments.
std::size_t Tunnel::padded_size(std::size_t size) const {
    const auto align = [](std::size_t n) {
        return (n + padding_multiple - 1) / padding_multiple * padding_multiple;
    };
    if (mtu_ == 0) return align(size);
    const std::size_t last_unit = size > mtu_ ? size % mtu_ : size;
    return size - last_unit + std::min(mtu_, align(last_unit));
}

void Tunnel::after_sending(Peer& peer, Session& session, bool data, const Now& now,
                           Actions& actions) {
    peer.timers.any_authenticated_sent();
    peer.timers.any_authenticated_traversal(now.boot);
    if (data) peer.timers.data_sent(now.boot, jitter_);
    arm(peer);
    if (session.should_renew(now.boot)) initiate(peer, false, now, actions);
}

/// All that waits, or a handshake if there is no session to send it with.
void Tunnel::send_staged(Peer& peer, const Now& now, Actions& actions) {
    if (peer.staged.empty() || !peer.path) return;
    Session* session = peer.current.get();
    if (session == nullptr || !session->can_send(now.boot))
        return initiate(peer, false, now, actions);
    bool any_data = false;
    while (auto packet = peer.staged.pop(staged_total_)) {
        const std::size_t size = packet->size();
        const std::size_t padded = padded_size(size);
        const std::uint8_t tos = size == 0 ? std::uint8_t{0} : outer_ecn(*packet);
        packet->reserve(padded + 1); // so that a keepalive, which is empty, has an address, too
        packet->resize(padded);
        seal(peer, *session, MutableBytes(*packet).first(padded), padded, tos, actions);
        any_data = any_data || size != 0;
        if (size == 0) ++counters_.keepalives_sent;
    }
    after_sending(peer, *session, any_data, now, actions);
}

void Tunnel::send_keepalive(Peer& peer, const Now& now, Actions& actions) {
    if (peer.staged.empty()) counters_.staged_dropped += peer.staged.push({}, staged_total_);
    send_staged(peer, now, actions);
}

/// An initiation or response, whose macs it adds.
void Tunnel::send_handshake(Peer& peer, MutableBytes message, const Now& now, Actions& actions) {
    peer.cookies.add_macs(peer.public_key, message, now.boot);
    if (!actions.send.append_copy(*peer.path, handshake_tos, message)) ++counters_.send_full;
    peer.last_sent_handshake = now.boot;
    peer.sent_bytes += message.size();
    peer.timers.any_authenticated_sent();
    peer.timers.any_authenticated_traversal(now.boot);
}

/// Tells the sender on our host at once, instead of letting it wait; the kernel's module does so.
void Tunnel::refuse(Bytes packet, const Now& now, Actions& actions) {
    const auto passed =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.boot - error_credit_at_);
    const auto earned = static_cast<std::size_t>(passed.count()) * most_errors_a_second / 1000;
    if (earned > 0) {
        error_credit_ = std::min(most_errors_a_second, error_credit_ + earned);
        error_credit_at_ = now.boot;
    }
    if (error_credit_ == 0 || actions.errors.size() == actions.errors.capacity()) return;
    if (auto error = unreachable(packet)) {
        --error_credit_;
        actions.errors.push_back(*error);
    }
}

} // namespace wgkit::engine
