#pragma once

#include <memory>
#include <vector>

#include "engine/messages.hpp"
#include "engine/path.hpp"

namespace wgkit::engine {

/// Datagrams of one size (the last may be shorter) for one destination, one after the other, as
/// UDP_SEGMENT sends them; a single datagram is a train of one.
struct Train {
    Path path;
    std::uint8_t tos = 0;
    std::size_t offset = 0; ///< into the batch's bytes
    std::size_t size = 0;   ///< of all datagrams together
    std::size_t segment_size = 0;
};

/// Datagrams to send, written where they are sent from. Its memory is there from the start.
class SendBatch {
  public:
    /// A call to the tunnel may add this much.
    static constexpr std::size_t call_bytes = std::size_t{512} << 10;
    static constexpr std::size_t capacity = std::size_t{1536} << 10;
    static constexpr std::size_t most_segments = 64;    ///< UDP_MAX_SEGMENTS before Linux 6.9
    static constexpr std::size_t most_bytes_v4 = 65507; ///< 65535 - 20 - 8
    static constexpr std::size_t most_bytes_v6 = 65527; ///< 65535 - 8

    SendBatch() : bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity)) {
        trains_.reserve(1024);
    }

    /// Space for one more datagram, to be filled before the next call. Nothing if there is none.
    std::uint8_t* append(const Path& path, std::uint8_t tos, std::size_t size) {
        if (used_ + size > capacity) return nullptr;
        std::uint8_t* out = bytes_.get() + used_;
        if (joins_last(path, tos, size))
            trains_.back().size += size;
        else
            trains_.push_back({path, tos, used_, size, size});
        used_ += size;
        return out;
    }
    /// Copies a datagram in. False if there is no space.
    bool append_copy(const Path& path, std::uint8_t tos, Bytes datagram) {
        std::uint8_t* out = append(path, tos, datagram.size());
        if (out == nullptr) return false;
        std::memcpy(out, datagram.data(), datagram.size());
        return true;
    }

    const std::vector<Train>& trains() const { return trains_; }
    MutableBytes bytes(const Train& train) const {
        return {bytes_.get() + train.offset, train.size};
    }
    bool empty() const { return trains_.empty(); }
    /// Whether another call to the tunnel may follow before the batch is sent.
    bool has_room() const { return used_ + call_bytes <= capacity; }
    std::size_t size() const { return used_; }
    void clear() {
        trains_.clear();
        used_ = 0;
    }
    /// Off: every datagram is a train of its own, for kernels that cannot segment.
    void set_joining(bool on) { joining_ = on; }

  private:
    bool joins_last(const Path& path, std::uint8_t tos, std::size_t size) const {
        if (!joining_ || trains_.empty()) return false;
        const Train& last = trains_.back();
        return size <= last.segment_size && last.size % last.segment_size == 0
               && last.size < most_segments * last.segment_size
               && last.size + size <= (path.remote.ip.is_v4() ? most_bytes_v4 : most_bytes_v6)
               && last.tos == tos && last.path == path;
    }

    std::unique_ptr<std::uint8_t[]> bytes_;
    std::vector<Train> trains_;
    std::size_t used_ = 0;
    bool joining_ = true;
};

} // namespace wgkit::engine
