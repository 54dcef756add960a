#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "engine/constants.hpp"
#include "engine/messages.hpp"

namespace wgkit::engine {

/// Packets that wait for a session: the newest ones, bounded in number and bytes.
class StagedQueue {
  public:
    /// Copies the packet in. Returns how many of the oldest had to go for it.
    unsigned push(Bytes packet) {
        packets_.emplace_back(packet.begin(), packet.end());
        bytes_ += packet.size();
        unsigned dropped = 0;
        while (packets_.size() > most_staged_packets || bytes_ > most_staged_bytes) {
            bytes_ -= packets_.front().size();
            packets_.pop_front();
            ++dropped;
        }
        return dropped;
    }
    /// The oldest, or nothing.
    std::optional<std::vector<std::uint8_t>> pop() {
        if (packets_.empty()) return std::nullopt;
        auto packet = std::move(packets_.front());
        packets_.pop_front();
        bytes_ -= packet.size();
        return packet;
    }
    void clear() {
        packets_ = {};
        bytes_ = 0;
    }
    bool empty() const { return packets_.empty(); }
    std::size_t size() const { return packets_.size(); }

  private:
    std::list<std::vector<std::uint8_t>> packets_; ///< small while empty, as most are
    std::size_t bytes_ = 0;
};

} // namespace wgkit::engine
