#pragma once

#include <span>
#include <vector>

#include "wgkit/host.hpp"

namespace wgkit::rotate {

/// A route to the second device. It goes before one to the interface, which stays: when the second
/// device goes, so does the route, and packets take the old way with no moment between.
struct SecondRoute {
    HostRoute route;
    /// Part of what a shorter route covers: only needed if packets take that one now.
    bool is_part = false;

    auto operator<=>(const SecondRoute&) const = default;
};

/// The routes that take the packets of peers with the allowed IPs `moving` to the second device,
/// and leave those of peers with `staying`. `present`: routes to the interface. Pure.
std::vector<SecondRoute> second_routes(std::span<const HostRoute> present,
                                       std::span<const Prefix> moving,
                                       std::span<const Prefix> staying);

} // namespace wgkit::rotate
