#include "engine/noise.hpp"

#include <algorithm>

namespace wgkit::engine {

namespace {

PublicKey key_at(std::span<const std::uint8_t, key_bytes> bytes) {
    PublicKey key;
    std::ranges::copy(bytes, key.bytes.begin());
    return key;
}

void begin(MutableBytes message, MessageType type, std::uint32_t sender) {
    std::ranges::fill(message, std::uint8_t{0});
    store_le32(message.data(), static_cast<std::uint32_t>(type));
    store_le32(message.data() + initiation::sender, sender); // at the same place in both
}

} // namespace

const crypto::SecretHash* StaticStatic::get(const Identity& identity, const PublicKey& peer) {
    if (state_ == State::unknown) {
        const bool good =
            crypto::x25519(identity.private_key.reveal(), peer.bytes, secret_.bytes());
        state_ = good ? State::good : State::low_order;
    }
    return state_ == State::good ? &secret_ : nullptr;
}

std::optional<Initiator> Initiator::create(const Identity& identity, const PublicKey& peer,
                                           StaticStatic& static_static, std::uint32_t local_index,
                                           std::chrono::system_clock::time_point wall,
                                           std::span<std::uint8_t, initiation::size> out) {
    const auto* shared = static_static.get(identity, peer);
    if (shared == nullptr) return std::nullopt;
    const MutableBytes message = out;
    begin(message, MessageType::initiation, local_index);
    SymmetricState state(peer);

    // e
    PrivateKey ephemeral = generate_private_key();
    const auto e = part<initiation::ephemeral, key_bytes>(message);
    std::ranges::copy(public_key(ephemeral).bytes, e.begin());
    state.mix_ephemeral(e);
    // es
    if (!state.mix_dh(ephemeral.reveal(), peer.bytes)) return std::nullopt;
    // s
    state.seal(identity.public_key.bytes,
               part<initiation::static_key, key_bytes + tag_bytes>(message));
    // ss
    state.mix_key(shared->bytes());
    // {t}
    state.seal(tai64n(wall), part<initiation::timestamp, timestamp_bytes + tag_bytes>(message));

    return Initiator(std::move(state), std::move(ephemeral), local_index);
}

std::optional<SessionKeys> Initiator::finish(const Identity& identity, const PresharedKey* psk,
                                             Bytes message) const {
    SymmetricState state = state_.clone();

    // e
    const auto e = part<response::ephemeral, key_bytes>(message);
    state.mix_ephemeral(e);
    // ee, se
    if (!state.mix_dh(ephemeral_.reveal(), e)) return std::nullopt;
    if (!state.mix_dh(identity.private_key.reveal(), e)) return std::nullopt;
    // psk
    state.mix_psk(psk);
    // {}
    if (!state.open(part<response::empty, tag_bytes>(message), {})) return std::nullopt;

    SessionKeys keys;
    state.split(keys.send, keys.receive); // section 5.4.5: the initiator sends with the first
    return keys;
}

std::optional<Responder> Responder::open(const Identity& identity, Bytes message) {
    Responder responder(identity.public_key);
    SymmetricState& state = responder.state_;
    responder.remote_index_ = load_le32(message.data() + initiation::sender);

    // e
    const auto e = part<initiation::ephemeral, key_bytes>(message);
    responder.remote_ephemeral_ = key_at(e);
    state.mix_ephemeral(e);
    // es
    if (!state.mix_dh(identity.private_key.reveal(), e)) return std::nullopt;
    // s
    if (!state.open(part<initiation::static_key, key_bytes + tag_bytes>(message),
                    responder.peer_.bytes))
        return std::nullopt;
    return responder;
}

std::optional<Timestamp> Responder::authenticate(const Identity& identity,
                                                 StaticStatic& static_static, Bytes message) {
    // ss
    const auto* shared = static_static.get(identity, peer_);
    if (shared == nullptr) return std::nullopt;
    state_.mix_key(shared->bytes());
    // {t}
    Timestamp timestamp{};
    if (!state_.open(part<initiation::timestamp, timestamp_bytes + tag_bytes>(message), timestamp))
        return std::nullopt;
    return timestamp;
}

std::optional<SessionKeys> Responder::respond(const PresharedKey* psk, std::uint32_t local_index,
                                              std::span<std::uint8_t, response::size> out) {
    const MutableBytes message = out;
    begin(message, MessageType::response, local_index);
    store_le32(message.data() + response::receiver, remote_index_);

    // e
    const PrivateKey ephemeral = generate_private_key();
    const auto e = part<response::ephemeral, key_bytes>(message);
    std::ranges::copy(public_key(ephemeral).bytes, e.begin());
    state_.mix_ephemeral(e);
    // ee, se
    if (!state_.mix_dh(ephemeral.reveal(), remote_ephemeral_.bytes)) return std::nullopt;
    if (!state_.mix_dh(ephemeral.reveal(), peer_.bytes)) return std::nullopt;
    // psk
    state_.mix_psk(psk);
    // {}
    state_.seal({}, part<response::empty, tag_bytes>(message));

    SessionKeys keys;
    state_.split(keys.receive, keys.send);
    return keys;
}

Timestamp tai64n(std::chrono::system_clock::time_point wall) {
    const auto since = std::chrono::floor<std::chrono::nanoseconds>(wall).time_since_epoch();
    const auto whole = std::chrono::floor<std::chrono::seconds>(since);
    const auto seconds =
        std::uint64_t{0x400000000000000a} + static_cast<std::uint64_t>(whole.count());
    const auto rest = static_cast<std::uint32_t>((since - whole).count())
                      & ~static_cast<std::uint32_t>(timestamp_step.count() - 1);
    Timestamp out;
    for (unsigned i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(seconds >> (56 - 8 * i));
    for (unsigned i = 0; i < 4; ++i) out[8 + i] = static_cast<std::uint8_t>(rest >> (24 - 8 * i));
    return out;
}

} // namespace wgkit::engine
