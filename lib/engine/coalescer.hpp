#pragma once

#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>

#include "engine/packet.hpp"
#include "engine/virtio_net.hpp"

namespace wgkit::engine {

/// What one write gives to the TUN device: a packet, or several of one flow as one large packet.
struct SuperPacket {
    virtio_net_hdr header;
    /// For writev: the header above, then one whole IP packet. At most IOV_MAX.
    std::span<const iovec> parts;
    std::size_t segments; ///< how many packets it is made of
};

/// Which kinds are merged; some kernels refuse some of them.
struct CoalescerOptions {
    bool tcp4 = true;
    bool tcp6 = true;
    bool udp = true; ///< Linux 6.2 and later
    /// Leaves packets alone whose transport checksum is wrong. They come from the peer unchanged
    /// either way, and a merged packet's checksum is not looked at again.
    bool verify_checksums = false;

    bool operator==(const CoalescerOptions&) const = default;
};

/// Merges packets that follow each other in one flow, as the kernel's GRO does and only where
/// `Segmenter` or the kernel gets the same packets out of it again. The packets stay where they are
/// and are not changed. The order within a flow stays; flows may pass each other.
///
/// Everything is allocated by the constructor.
class Coalescer {
  public:
    static constexpr std::size_t default_capacity = 1024;

    explicit Coalescer(std::size_t capacity = default_capacity);
    Coalescer(Coalescer&&) = default;
    Coalescer& operator=(Coalescer&&) = default;

    const CoalescerOptions& options() const { return options_; }
    void set_options(const CoalescerOptions& options) { options_ = options; }

    /// Takes a packet, which must stay as it is until `clear`. Shape: an IP packet without padding.
    /// Throws std::length_error if the coalescer is full.
    void add(MutableBytes packet);
    bool is_full() const { return packet_count_ == capacity_; }
    std::size_t capacity() const { return capacity_; }

    /// What has been added, in order; valid until the next call of a member function.
    std::span<const SuperPacket> finish();
    void clear();

  private:
    enum class Kind : std::uint8_t { other, tcp4, tcp6, udp4, udp6 };

    /// What a packet's headers say about merging it.
    struct Shape {
        Kind kind = Kind::other;
        bool is_mergeable = false;  ///< else only its flow counts, for the order
        bool hides_flow = false;    ///< may belong to any flow
        std::uint8_t transport = 0; ///< offset of the transport header
        std::uint8_t header_length = 0;
        std::uint16_t payload = 0;
    };

    /// A packet of a train; the first one whole, the others without headers.
    struct Packet {
        std::uint8_t* bytes;
        std::uint32_t size;
        std::uint32_t next; ///< of the same train
    };

    /// Packets to be merged. Compared with the headers of the first one.
    struct Train {
        const std::uint8_t* head;
        std::uint32_t first; ///< index into packets_
        std::uint32_t last;
        std::uint32_t segments = 1;
        std::uint32_t total = 0; ///< bytes, with one set of headers
        std::uint32_t next_sequence = 0;
        bool is_id_fixed = false;
        std::uint8_t last_flags = 0; ///< FIN and PSH of the last packet
        Shape shape;
    };

    static constexpr std::size_t max_header = ipv6::header + tcp::max_header;
    using Headers = std::array<std::uint8_t, max_header>;
    static constexpr std::size_t max_flows = 4;
    static constexpr std::uint32_t none = 0xffffffff;

    Shape shape_of(Bytes packet) const;
    Shape shape_of_tcp(Bytes packet, Shape shape) const;
    Shape shape_of_udp(Bytes packet, Shape shape) const;
    bool is_enabled(Kind kind) const;
    std::size_t find_flow(const Shape& shape, const std::uint8_t* packet) const;
    static bool fits(Train& train, const Shape& shape, const std::uint8_t* packet);
    void append(Train& train, const Shape& shape, MutableBytes packet);
    void open(const Shape& shape, MutableBytes packet, std::size_t slot);
    void build(const Train& train, SuperPacket& super);
    void build_headers(const Train& train, virtio_net_hdr& header, std::uint8_t* bytes) const;

    std::size_t capacity_;
    CoalescerOptions options_;
    /// Trains that may still grow, at most one of a flow.
    std::array<std::uint32_t, max_flows> open_;
    std::size_t evict_ = 0; ///< slot to be taken next
    // Arrays of `capacity_` and their use: growing vectors would cost a third of the time.
    std::unique_ptr<Packet[]> packets_;
    std::unique_ptr<Train[]> trains_; ///< in the order of their first packets
    std::unique_ptr<SuperPacket[]> result_;
    std::unique_ptr<iovec[]> parts_;
    std::unique_ptr<Headers[]> headers_; ///< of merged packets
    std::uint32_t packet_count_ = 0;
    std::uint32_t train_count_ = 0;
    std::size_t part_count_ = 0;
    std::size_t header_count_ = 0;
};

} // namespace wgkit::engine
