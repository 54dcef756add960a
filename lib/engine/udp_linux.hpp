#pragma once

#include <sys/socket.h>

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "engine/counters.hpp"
#include "engine/send_batch.hpp"
#include "engine/tunnel.hpp"
#include "util/unique_fd.hpp"

namespace wgkit::engine {

/// What the sockets did. Units: datagrams unless said otherwise.
struct UdpCounters {
    std::uint64_t received_batches = 0; ///< buffers, each of one or more datagrams
    std::uint64_t received = 0;
    std::uint64_t sent_batches = 0; ///< trains, each of one or more datagrams
    std::uint64_t sent = 0;
    std::uint64_t send_errors = 0;
    std::uint64_t receive_overflows = 0;    ///< lost because the socket's queue was full
    std::uint64_t segmentation_refused = 0; ///< trains that had to be sent one by one
};
inline constexpr std::array udp_counters{
    Counted<UdpCounters>{"udp_received_batches", &UdpCounters::received_batches},
    Counted<UdpCounters>{"udp_received", &UdpCounters::received},
    Counted<UdpCounters>{"udp_sent_batches", &UdpCounters::sent_batches},
    Counted<UdpCounters>{"udp_sent", &UdpCounters::sent},
    Counted<UdpCounters>{"udp_send_errors", &UdpCounters::send_errors},
    Counted<UdpCounters>{"udp_receive_overflows", &UdpCounters::receive_overflows},
    Counted<UdpCounters>{"udp_segmentation_refused", &UdpCounters::segmentation_refused},
};

/// Switches for kernels whose offloads are broken.
struct UdpOptions {
    bool segmentation = true; ///< UDP_SEGMENT
    bool coalescing = true;   ///< UDP_GRO
};

/// The two UDP sockets of a device, IPv4 and IPv6, on one port. A host may lack either family.
/// They stay in the network namespace in which they were opened.
class UdpSockets {
  public:
    explicit UdpSockets(UdpOptions options);

    /// Opens both on the port; 0: a free one. What was open before is closed, but only if this
    /// succeeds. Errors: conflict if the port is in use, permission for the mark, system.
    Result<void> open(std::uint16_t port, std::uint32_t mark);
    void close();
    bool is_open() const { return sockets_[0].fd || sockets_[1].fd; }
    std::uint16_t port() const { return port_; }
    /// Routing mark of what is sent; 0: none. Errors: permission, system.
    Result<void> set_mark(std::uint32_t mark);

    /// Descriptors to wait on; -1 for a family that is not there.
    std::array<int, 2> descriptors() const { return {sockets_[0].fd.get(), sockets_[1].fd.get()}; }

    /// What has arrived, without waiting: valid until the next call.
    std::span<Received> receive();

    /// Sends the batch without waiting and clears it. False if the kernel takes no more for now:
    /// call again with the same batch, which may have grown, once a descriptor is writable.
    bool send(SendBatch& batch);
    /// Told of paths whose source address no longer works.
    std::function<void(const Path&)> on_dead_source;

    /// The descriptor that was full when `send` last returned false.
    int full_descriptor() const { return full_; }

    bool can_segment() const { return segmentation_; }
    const UdpCounters& counters() const { return counters_; }

  private:
    static constexpr std::size_t buffers = 16;
    static constexpr std::size_t buffer_bytes = 65536;
    static constexpr std::size_t control_bytes = 256;
    static constexpr std::size_t most_messages = 64; ///< sent with one call

    struct Socket {
        UniqueFd fd;
        int family = 0;
        std::uint32_t overflows = 0; ///< as the kernel counts them
    };
    /// One message for sendmmsg with what it points to.
    struct Outgoing {
        sockaddr_storage address;
        iovec data;
        alignas(cmsghdr) std::array<std::uint8_t, control_bytes> control;
    };

    /// An empty descriptor if this host does not have the family.
    Result<UniqueFd> open_one(int family, std::uint16_t port, std::uint32_t mark);
    void receive_from(Socket& socket);
    void fill(std::size_t slot, const Train& train, MutableBytes bytes, std::size_t segment_size);
    /// Handles the failure of one train. False if the kernel takes no more for now.
    bool send_alone(int fd, const Train& train, MutableBytes bytes, int error);
    bool send_single(int fd, Train train, MutableBytes bytes, int error);
    static bool is_dead_source(const Train& train, int error);
    int send_one(int fd, const Train& train, MutableBytes bytes, std::size_t segment_size);

    UdpOptions options_;
    std::array<Socket, 2> sockets_;
    std::uint16_t port_ = 0;
    bool segmentation_ = false;
    std::size_t first_ = 0; ///< the family that is read first next time
    int full_ = -1;
    std::size_t next_train_ = 0; ///< of a batch that was not sent whole

    std::unique_ptr<std::uint8_t[]> bytes_;
    std::array<mmsghdr, buffers> in_{};
    std::array<iovec, buffers> in_data_{};
    std::array<sockaddr_storage, buffers> in_address_{};
    struct alignas(cmsghdr) Control {
        std::array<std::uint8_t, control_bytes> bytes;
    };
    std::array<Control, buffers> in_control_{};
    std::vector<Received> received_;

    std::array<mmsghdr, most_messages> out_{};
    std::vector<Outgoing> outgoing_;
    UdpCounters counters_;
};

} // namespace wgkit::engine
