#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "engine/packet.hpp"
#include "engine/virtio_net.hpp"

namespace wgkit::engine {

/// Why a packet from the TUN device was refused; an index for counters.
enum class Malformed : std::uint8_t {
    ip_length,        ///< no IP packet, or shorter than it claims
    checksum_place,   ///< the checksum to fill in lies outside, or not where the protocol has it
    gso_type,         ///< a kind of segmentation that nobody asked for
    gso_size,         ///< segments of no bytes
    ip_header,        ///< wrong version, a fragment, or extension headers that do not fit
    transport,        ///< another protocol than the kind says
    transport_header, ///< cut short
};
inline constexpr std::size_t malformed_kinds = 7;

/// Splits what a TUN device with IFF_VNET_HDR gave into plain packets, in order and in place: the
/// headers of a segment are built directly before its payload, over the end of the segment before,
/// which has been used by then. Nothing but headers is copied.
///
/// Of the header's fields only those that cannot be known otherwise are believed; `hdr_len` never
/// is.
class Segmenter {
  public:
    /// Shape: `packet` is what followed the header; 15 bytes after its end must exist, too.
    /// The packet is only looked at; `next` begins to change it.
    static std::optional<Segmenter> start(const virtio_net_hdr& header, MutableBytes packet) {
        Malformed why;
        return start(header, packet, why);
    }
    /// Sets `why` if there is no result.
    static std::optional<Segmenter> start(const virtio_net_hdr& header, MutableBytes packet,
                                          Malformed& why);

    /// The next packet, complete with lengths and checksums; empty at the end. Its bytes, and up to
    /// 15 after it, are the caller's until the next call; by then those after it must be as before.
    MutableBytes next();

    std::size_t segment_count() const { return count_; }
    /// Of every segment but the last, with headers.
    std::size_t segment_size() const {
        return std::min(header_length_ + segment_payload_, packet_.size());
    }
    /// The segments' destination and traffic class: they share them. Only before the second `next`.
    PacketAddress destination() const { return destination_of(packet_); }
    std::uint8_t traffic_class() const { return engine::traffic_class(packet_); }

  private:
    // The longest of IPv4 with options and TCP with options, and what IPv6 can have as well.
    static constexpr std::size_t max_header = 160;

    explicit Segmenter(MutableBytes packet) : packet_(packet) {}
    std::optional<Malformed> prepare_checksum(const virtio_net_hdr& header);
    std::optional<Malformed> prepare_segments(const virtio_net_hdr& header);
    void complete_single();
    void write_ip_length(std::uint8_t* headers, std::size_t length) const;
    void sum_shared_fields(bool is_routed);
    void write_tcp(MutableBytes segment) const;
    void write_udp(MutableBytes segment) const;

    MutableBytes packet_;
    std::size_t count_ = 1;
    std::size_t index_ = 0; ///< of the next segment
    std::size_t header_length_ = 0;
    std::size_t segment_payload_ = 0;
    std::size_t transport_ = 0; ///< offset of the transport header
    std::size_t checksum_ = 0;  ///< offset of the checksum to complete
    std::uint8_t protocol_ = 0; ///< 0: a single packet
    bool needs_checksum_ = false;
    /// Pseudo-header and transport header, without what differs: lengths, sequence number, flags.
    std::uint32_t transport_sum_ = 0;
    std::uint32_t ip_sum_ = 0;                     ///< IPv4 header without length, id and checksum
    std::array<std::uint8_t, max_header> headers_; ///< as they came, if there are several segments
};

} // namespace wgkit::engine
