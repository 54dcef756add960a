#pragma once

#include <chrono>
#include <optional>

#include "engine/symmetric_state.hpp"

/// The handshake Noise_IKpsk2 (WireGuard paper, section 5.4; Noise specification, revision 34).
/// The macs of its messages are cookie.hpp's.
namespace wgkit::engine {

/// Our own long-term key pair.
struct Identity {
    PrivateKey private_key;
    PublicKey public_key;

    explicit Identity(PrivateKey key)
        : private_key(std::move(key)), public_key(wgkit::public_key(private_key)) {}
};

/// X25519 of our and a peer's long-term key, computed when it is first needed.
class StaticStatic {
  public:
    /// Nothing if the peer's key is a point of low order.
    const crypto::SecretHash* get(const Identity& identity, const PublicKey& peer);
    void forget() {
        secret_.clear();
        state_ = State::unknown;
    }

  private:
    enum class State : std::uint8_t { unknown, good, low_order };
    crypto::SecretHash secret_;
    State state_ = State::unknown;
};

/// Keys of a new session, as seen from here.
struct SessionKeys {
    crypto::SecretHash send;
    crypto::SecretHash receive;
};

/// Our half of a handshake that we began, from the initiation until its response comes.
class Initiator {
  public:
    /// Fills `out` but for its macs. Nothing if the peer's key is of low order.
    static std::optional<Initiator> create(const Identity& identity, const PublicKey& peer,
                                           StaticStatic& static_static, std::uint32_t local_index,
                                           std::chrono::system_clock::time_point wall,
                                           std::span<std::uint8_t, initiation::size> out);

    /// Nothing if the message is no answer to our initiation; then nothing has changed, so that a
    /// forged one does not disturb us.
    std::optional<SessionKeys> finish(const Identity& identity, const PresharedKey* psk,
                                      Bytes message) const;

    std::uint32_t local_index() const { return local_index_; }

  private:
    Initiator(SymmetricState state, PrivateKey ephemeral, std::uint32_t local_index)
        : state_(std::move(state)), ephemeral_(std::move(ephemeral)), local_index_(local_index) {}

    SymmetricState state_;
    PrivateKey ephemeral_;
    std::uint32_t local_index_;
};

/// Our half of a handshake that a peer began; complete once the response is made.
class Responder {
  public:
    /// Reads who sent the initiation. Costs one X25519. Nothing if it is not meant for us.
    static std::optional<Responder> open(const Identity& identity, Bytes message);

    const PublicKey& peer() const { return peer_; }
    std::uint32_t remote_index() const { return remote_index_; }

    /// The initiation's timestamp, once it is known to be from the peer; nothing if forged.
    std::optional<Timestamp> authenticate(const Identity& identity, StaticStatic& static_static,
                                          Bytes message);
    /// Fills `out` but for its macs. Nothing for an ephemeral key of low order.
    std::optional<SessionKeys> respond(const PresharedKey* psk, std::uint32_t local_index,
                                       std::span<std::uint8_t, response::size> out);

  private:
    explicit Responder(const PublicKey& own) : state_(own) {}

    SymmetricState state_;
    PublicKey peer_;
    PublicKey remote_ephemeral_;
    std::uint32_t remote_index_ = 0;
};

/// TAI64N (cr.yp.to/libtai/tai64.html), its nanoseconds rounded down to a multiple of 2^24 so that
/// they tell less about our clock.
inline constexpr auto timestamp_step = std::chrono::nanoseconds(1 << 24);
Timestamp tai64n(std::chrono::system_clock::time_point wall);

} // namespace wgkit::engine
