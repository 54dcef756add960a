#pragma once

#include <memory>

#include "crypto/packet_cipher.hpp"
#include "engine/clock.hpp"
#include "engine/replay.hpp"

namespace wgkit::engine {

/// Transport keys for one handshake (WireGuard paper, section 5.4.6): "keypair" in the kernel.
struct Session {
    std::unique_ptr<crypto::PacketCipher> sending;
    std::unique_ptr<crypto::PacketCipher> receiving;
    std::uint32_t local_index = 0;
    std::uint32_t remote_index = 0;
    Instant created;
    bool is_initiator = false;
    bool may_send = true;      ///< not after our own key changed
    std::uint64_t counter = 0; ///< of the next message sent
    ReplayWindow received;

    bool is_fresh(Instant now) const { return now - created < reject_after_time; }
    bool can_send(Instant now) const {
        return may_send && is_fresh(now) && counter < reject_after_messages;
    }
    /// Section 6.2: the initiator renews by age, either side by number.
    bool should_renew(Instant now) const {
        return counter > rekey_after_messages
               || (is_initiator && now - created >= rekey_after_time);
    }
};

} // namespace wgkit::engine
