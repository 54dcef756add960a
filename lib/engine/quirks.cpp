#include "engine/quirks.hpp"

#include <array>
#include <charconv>

namespace wgkit::engine {

namespace {

struct Entry {
    KernelVersion first; ///< that has the fault
    KernelVersion fixed; ///< the first one without it
    bool TunnelOffloads::*offload;
    std::string_view reason;
};

constexpr std::array table{
    // Young there, and reported to be unreliable; 5.12 reworked where datagrams are joined.
    Entry{{0, 0, 0},
          {5, 12, 0},
          &TunnelOffloads::udp_coalescing,
          "before Linux 5.12 received datagrams are not joined reliably"},
    // Trains whose datagrams are all of one length leave some network cards with wrong UDP headers
    // (introduced by b10b446 in 7.0-rc1, mended by 78effd8 and 5f17ae0 in 7.1.5).
    Entry{{7, 0, 0},
          {7, 1, 5},
          &TunnelOffloads::udp_segmentation,
          "Linux 7.0 to 7.1.4 damages trains of datagrams on some network cards"},
};

} // namespace

std::optional<KernelVersion> kernel_version(std::string_view release) {
    KernelVersion version;
    std::size_t count = 0;
    for (unsigned* part : {&version.version, &version.patch_level, &version.sub_level}) {
        const auto [end, failed] =
            std::from_chars(release.data(), release.data() + release.size(), *part);
        if (failed != std::errc{}) break;
        ++count;
        release.remove_prefix(static_cast<std::size_t>(end - release.data()));
        if (!release.starts_with('.')) break;
        release.remove_prefix(1);
    }
    if (count < 2) return std::nullopt;
    return version;
}

Quirks quirks_of(std::string_view release) {
    Quirks quirks;
    const auto version = kernel_version(release);
    if (!version) return quirks;
    for (const Entry& entry : table) {
        if (*version < entry.first || *version >= entry.fixed) continue;
        quirks.works.*entry.offload = false;
        if (!quirks.reason.empty()) quirks.reason += "; ";
        quirks.reason += entry.reason;
    }
    return quirks;
}

TunnelOffloads both(const TunnelOffloads& wanted, const TunnelOffloads& works) {
    return {wanted.tun_segmentation && works.tun_segmentation,
            wanted.tun_coalescing && works.tun_coalescing,
            wanted.udp_segmentation && works.udp_segmentation,
            wanted.udp_coalescing && works.udp_coalescing};
}

} // namespace wgkit::engine
