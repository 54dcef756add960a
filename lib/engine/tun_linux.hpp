#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/coalescer.hpp"
#include "engine/counters.hpp"
#include "engine/segmenter.hpp"
#include "util/unique_fd.hpp"
#include "wgkit/result.hpp"

namespace wgkit::engine {

struct TunCounters {
    std::uint64_t read_batches = 0; ///< super-packets and single packets read
    std::uint64_t written_batches = 0;
    std::uint64_t malformed = 0;    ///< read, but no valid packet
    std::uint64_t write_errors = 0; ///< e.g. the device is down
    std::uint64_t merging_refused = 0;
};
inline constexpr std::array tun_counters{
    Counted<TunCounters>{"tun_read_batches", &TunCounters::read_batches},
    Counted<TunCounters>{"tun_written_batches", &TunCounters::written_batches},
    Counted<TunCounters>{"tun_malformed", &TunCounters::malformed},
    Counted<TunCounters>{"tun_write_errors", &TunCounters::write_errors},
    Counted<TunCounters>{"tun_merging_refused", &TunCounters::merging_refused},
};

/// Switches for kernels whose offloads are broken.
struct TunOptions {
    bool segmentation = true; ///< take packets larger than the MTU from the kernel (TSO, USO)
    bool coalescing = true;   ///< give such packets to it
};

/// A TUN device: inner packets from and to the kernel, many at a time where it can.
class Tun {
  public:
    /// Makes the device. Errors: invalid for a bad name, exists if it is taken, permission,
    /// not_found without /dev/net/tun, system.
    static Result<Tun> create(const std::string& name, TunOptions options);
    /// Takes over a device that somebody else made; its name is asked from it.
    static Result<Tun> adopt(UniqueFd fd, TunOptions options);

    const std::string& name() const { return name_; }
    int descriptor() const { return fd_.get(); }

    enum class Read : std::uint8_t { packet, nothing, gone };
    /// The next packet or super-packet, without waiting; `packets` is valid until the next call.
    /// `gone`: the device was deleted.
    Read read(std::optional<Segmenter>& packets);

    /// Gives inner packets to the kernel, merging those that go together.
    void write(std::span<const MutableBytes> packets);
    /// Gives one whole packet to the kernel.
    void write(Bytes packet);

    /// Asks the device itself, in whatever network namespace it is now.
    bool is_up() const;
    bool can_segment() const { return has_header_; }
    const TunCounters& counters() const { return counters_; }

  private:
    Tun(UniqueFd fd, std::string name, bool has_header, TunOptions options);
    void write_merged();
    bool write_parts(std::span<const iovec> parts);
    void write_apart(const SuperPacket& packet);

    static constexpr std::size_t buffer_bytes = 65536 + 64;

    UniqueFd fd_;
    std::string name_;
    bool has_header_; ///< IFF_VNET_HDR
    TunOptions options_;
    std::unique_ptr<std::uint8_t[]> buffer_;
    Coalescer coalescer_;
    TunCounters counters_;
};

} // namespace wgkit::engine
