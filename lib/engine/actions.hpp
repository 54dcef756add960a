#pragma once

#include <vector>

#include "engine/icmp.hpp"
#include "engine/send_batch.hpp"

namespace wgkit::engine {

/// What the tunnel wants done. Cleared and used again by the caller, so nothing is allocated on the
/// way of a packet.
struct Actions {
    SendBatch send;                    ///< to the network
    std::vector<MutableBytes> deliver; ///< inner packets for the TUN device, within the datagrams
                                       ///< that were handed in
    std::vector<IcmpError> errors;     ///< about packets from the TUN device, back to it

    Actions() {
        deliver.reserve(2048);
        errors.reserve(8);
    }
    void clear() {
        send.clear();
        deliver.clear();
        errors.clear();
    }
};

} // namespace wgkit::engine
