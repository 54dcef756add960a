#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "engine/constants.hpp"
#include "engine/messages.hpp"

namespace wgkit::engine {

/// What waits in the queues of all peers together. Units: bytes of packets.
using StagedTotal = std::size_t;

/// Packets that wait for a session: the newest ones, bounded in number and bytes, and in bytes
/// together with the queues of all other peers, which share a total.
class StagedQueue {
  public:
    /// Copies the packet in. Returns how many had to go for it: the oldest of this peer's, or, if
    /// the others' leave no room at all, the packet itself.
    unsigned push(Bytes packet, StagedTotal& total) {
        unsigned dropped = 0;
        while (!packets_.empty()
               && (packets_.size() >= most_staged_packets
                   || bytes_ + packet.size() > most_staged_bytes
                   || total + packet.size() > most_staged_bytes_of_all)) {
            drop_oldest(total);
            ++dropped;
        }
        if (!packet.empty() && total + packet.size() > most_staged_bytes_of_all) return dropped + 1;
        packets_.emplace_back(packet.begin(), packet.end());
        bytes_ += packet.size();
        total += packet.size();
        return dropped;
    }
    /// The oldest, or nothing.
    std::optional<std::vector<std::uint8_t>> pop(StagedTotal& total) {
        if (packets_.empty()) return std::nullopt;
        auto packet = std::move(packets_.front());
        packets_.pop_front();
        bytes_ -= packet.size();
        total -= packet.size();
        return packet;
    }
    void clear(StagedTotal& total) {
        packets_ = {};
        total -= bytes_;
        bytes_ = 0;
    }
    bool empty() const { return packets_.empty(); }
    std::size_t size() const { return packets_.size(); }

  private:
    void drop_oldest(StagedTotal& total) {
        bytes_ -= packets_.front().size();
        total -= packets_.front().size();
        packets_.pop_front();
    }

    std::list<std::vector<std::uint8_t>> packets_; ///< small while empty, as most are
    std::size_t bytes_ = 0;
};

} // namespace wgkit::engine
