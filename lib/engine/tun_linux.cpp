#include "engine/tun_linux.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "engine/constants.hpp"
#include "util/errno_error.hpp"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

namespace wgkit::engine {

namespace {

constexpr unsigned segmentation_tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
constexpr unsigned segmentation_udp = TUN_F_USO4 | TUN_F_USO6; // Linux 6.2

ifreq request_for(const std::string& name) {
    ifreq request{};
    name.copy(request.ifr_name, sizeof request.ifr_name - 1);
    return request;
}

Error creation_error(const std::string& name) {
    switch (errno) {
    case EBUSY:
    case EEXIST:
        return {Errc::exists, fmt::format("interface {} exists already", name),
                "choose another name, or delete it: ip link del " + name};
    case EPERM:
        return {Errc::permission, fmt::format("cannot create interface {}", name),
                "this needs root or CAP_NET_ADMIN"};
    case EINVAL:
        return {Errc::invalid,
                fmt::format("cannot create interface {}: the name is taken by a "
                            "device of another kind, or not allowed",
                            name),
                {}};
    default:
        return errno_error(fmt::format("cannot create interface {}", name));
    }
}

bool set_segmentation(int fd, bool udp) {
    return ::ioctl(fd, TUNSETOFFLOAD, segmentation_tcp | (udp ? segmentation_udp : 0U)) == 0;
}

} // namespace

Result<Tun> Tun::create(const std::string& name, TunOptions options) {
    UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
        const bool missing = errno == ENOENT || errno == ENODEV || errno == ENXIO;
        Error error = errno_error("cannot open /dev/net/tun");
        error.hint = missing
                         ? "load the tun module (modprobe tun), or give the container the device "
                           "/dev/net/tun"
                         : "this needs root or CAP_NET_ADMIN, and access to the device";
        return error;
    }
    ifreq request = request_for(name);
    // TUNSETIFF on a name that has a free queue would share it with its owner: such devices have
    // IFF_MULTI_QUEUE, which we do not ask for, so that the kernel refuses.
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    if (::if_nametoindex(name.c_str()) != 0) {
        errno = EEXIST;
        return creation_error(name);
    }
    if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) return creation_error(name);
    return adopt(std::move(fd), options);
}

Result<Tun> Tun::adopt(UniqueFd fd, TunOptions options) {
    ifreq request{};
    if (::ioctl(fd.get(), TUNGETIFF, &request) != 0)
        return errno_error("the descriptor is no TUN device");
    if ((request.ifr_flags & IFF_TUN) == 0 || (request.ifr_flags & IFF_NO_PI) == 0)
        return Error{Errc::invalid, "the descriptor is no TUN device with IFF_NO_PI", {}};
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0)
        return errno_error("cannot prepare the TUN device");
    const bool has_header = (request.ifr_flags & IFF_VNET_HDR) != 0;
    request.ifr_name[sizeof request.ifr_name - 1] = '\0';
    if (has_header) {
        int header_bytes = sizeof(virtio_net_hdr); // whoever made the device may have wanted more
        ::ioctl(fd.get(), TUNSETVNETHDRSZ, &header_bytes);
        if (!options.segmentation)
            ::ioctl(fd.get(), TUNSETOFFLOAD, 0);
        else if (!set_segmentation(fd.get(), true))
            set_segmentation(fd.get(), false);
    }
    return Tun(std::move(fd), request.ifr_name, has_header, options);
}

Tun::Tun(UniqueFd fd, std::string name, bool has_header, TunOptions options)
    : fd_(std::move(fd)), name_(std::move(name)), has_header_(has_header), options_(options),
      buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(buffer_bytes)) {
    const bool merge = has_header && options.coalescing;
    // Whether the kernel takes merged UDP is the same question as whether it gives it.
    const bool udp = merge && set_segmentation(fd_.get(), true);
    if (merge && (!udp || !options.segmentation))
        ::ioctl(fd_.get(), TUNSETOFFLOAD, options.segmentation ? segmentation_tcp : 0U);
    coalescer_.set_options({merge, merge, udp});
}

Tun::Read Tun::read(std::optional<Segmenter>& packets) {
    packets.reset();
    const std::size_t header_bytes = has_header_ ? sizeof(virtio_net_hdr) : 0;
    // The spare bytes at the end are for the padding of the last packet.
    const ssize_t count = ::read(fd_.get(), buffer_.get(), buffer_bytes - 32);
    if (count < 0) {
        if (errno == EBADFD || errno == ENODEV) return Read::gone;
        return Read::nothing; // EAGAIN; EIO while the device is down
    }
    const auto size = static_cast<std::size_t>(count);
    virtio_net_hdr header{};
    if (size > header_bytes) {
        std::memcpy(&header, buffer_.get(), header_bytes);
        packets = Segmenter::start(header, {buffer_.get() + header_bytes, size - header_bytes});
    }
    ++counters_.read_batches;
    if (!packets) ++counters_.malformed;
    return Read::packet;
}

void Tun::write(std::span<const MutableBytes> packets) {
    if (!has_header_) {
        for (const auto& packet : packets) write(packet);
        return;
    }
    for (const auto& packet : packets) {
        if (coalescer_.is_full()) write_merged();
        coalescer_.add(packet);
    }
    write_merged();
}

void Tun::write_merged() {
    for (const SuperPacket& packet : coalescer_.finish()) {
        if (write_parts(packet.parts)) continue;
        if (packet.header.gso_type == VIRTIO_NET_HDR_GSO_NONE || errno != EINVAL) {
            ++counters_.write_errors;
            continue;
        }
        // Some kernels refuse merged packets: never again, and these go one by one.
        ++counters_.merging_refused;
        write_apart(packet);
        auto merging = coalescer_.options();
        if (packet.header.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4)
            merging.udp = false;
        else
            merging.tcp4 = merging.tcp6 = false;
        coalescer_.set_options(merging);
    }
    coalescer_.clear();
}

void Tun::write(Bytes packet) {
    static constexpr virtio_net_hdr none{};
    const std::array<iovec, 2> parts = {
        iovec{const_cast<virtio_net_hdr*>(&none), has_header_ ? sizeof none : 0},
        iovec{const_cast<std::uint8_t*>(packet.data()), packet.size()}};
    if (!write_parts(parts)) ++counters_.write_errors;
}

bool Tun::write_parts(std::span<const iovec> parts) {
    const ssize_t count = ::writev(fd_.get(), parts.data(), static_cast<int>(parts.size()));
    if (count < 0) return false;
    ++counters_.written_batches;
    return true;
}

/// Splits what was merged, with the same code that splits what the kernel gives us.
void Tun::write_apart(const SuperPacket& packet) {
    std::vector<std::uint8_t> whole;
    for (const auto& part : packet.parts.subspan(1)) {
        const auto* begin = static_cast<const std::uint8_t*>(part.iov_base);
        whole.insert(whole.end(), begin, begin + part.iov_len);
    }
    const std::size_t size = whole.size();
    whole.resize(size + padding_multiple);
    auto segments = Segmenter::start(packet.header, MutableBytes(whole).first(size));
    if (!segments) return;
    for (auto segment = segments->next(); !segment.empty(); segment = segments->next())
        write(Bytes(segment));
}

bool Tun::is_up() const {
    // A packet that is cut short: refused while the device is down, else taken and thrown away.
    const std::array<std::uint8_t, sizeof(virtio_net_hdr) + 1> packet = {
        has_header_ ? std::uint8_t{0} : std::uint8_t{0x40}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40};
    return ::write(fd_.get(), packet.data(), has_header_ ? packet.size() : 1) >= 0 || errno != EIO;
}

} // namespace wgkit::engine
