#pragma once

#include <optional>

#include "crypto/blake2s.hpp"
#include "crypto/noise.hpp"
#include "engine/clock.hpp"
#include "engine/messages.hpp"
#include "engine/path.hpp"
#include "wgkit/keys.hpp"

/// The macs of handshake messages and the cookies behind the second one (WireGuard paper,
/// sections 5.4.4 and 5.4.7).
namespace wgkit::engine {

/// The receiving side: checks macs and answers with cookies while we are under load.
/// Addresses enter the cookie with their port, so that one behind a shared address cannot use
/// another's.
class CookieChecker {
  public:
    explicit CookieChecker(const PublicKey& own);

    /// Shape: a whole initiation or response.
    [[nodiscard]] bool has_valid_mac1(Bytes message) const;
    /// Whether the sender claims to have a cookie.
    static bool has_mac2(Bytes message);
    [[nodiscard]] bool has_valid_mac2(Bytes message, const UdpAddress& from, Instant now);
    /// The answer to a message whose mac1 is valid.
    CookieReply reply(Bytes message, const UdpAddress& from, Instant now);

  private:
    void take_nonce(std::span<std::uint8_t, 24> out);
    Mac cookie_for(const UdpAddress& from, Instant now);

    crypto::KeyedBlake2s mac1_;
    crypto::Hash cookie_key_;
    std::optional<crypto::KeyedBlake2s> secret_;
    Instant secret_until_{};
    /// Random bytes for nonces, from the system in one call for many.
    std::array<std::uint8_t, std::size_t{24} * 64> nonces_{};
    std::size_t nonces_left_ = 0;
};

/// The sending side towards one peer: adds macs, remembers the peer's cookie.
class CookieJar {
  public:
    /// Fills both macs of a whole initiation or response; mac2 stays zero without a fresh cookie.
    void add_macs(const PublicKey& peer, MutableBytes message, Instant now);
    /// Takes a cookie that answers the last message sent. False if it is forged, or answers
    /// nothing.
    [[nodiscard]] bool consume(const PublicKey& peer, Bytes reply, Instant now);
    void clear() { *this = {}; }

  private:
    Mac cookie_{};
    Instant cookie_until_{};
    Mac last_mac1_{};
    bool awaits_reply_ = false; ///< one cookie for each mac1 sent
};

} // namespace wgkit::engine
