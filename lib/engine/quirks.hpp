#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "wgkit/tunnel.hpp"

namespace wgkit::engine {

struct KernelVersion {
    unsigned version = 0;
    unsigned patch_level = 0;
    unsigned sub_level = 0;

    auto operator<=>(const KernelVersion&) const = default;
};

/// The numbers at the front of what uname(2) calls the release: 6.1.0-28-amd64, 7.0-rc1, 5.10.
/// Nothing if there are not at least two. A release candidate counts as its release.
std::optional<KernelVersion> kernel_version(std::string_view release);

/// What a kernel does wrong in a way that cannot be noticed while it happens. What can be noticed
/// is not here: udp_linux.cpp and tun_linux.cpp do without it from then on.
struct Quirks {
    TunnelOffloads works; ///< false: must not be used
    std::string reason;   ///< for the log; empty if all works
};
Quirks quirks_of(std::string_view release);

/// What is both wanted and works.
TunnelOffloads both(const TunnelOffloads& wanted, const TunnelOffloads& works);

} // namespace wgkit::engine
