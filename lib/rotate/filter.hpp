#pragma once

#include <optional>

#include "rotate/state.hpp"

/// Packet filters that know the interface by its name.
namespace wgkit::rotate {

/// Full tunnels come with a filter (device/packet_filter.hpp) that drops what reaches the tunnel's
/// address by another interface: lets the second device through. Nothing without such a filter.
Result<void> open_filter(const State& state);
void close_filter(const State& state);

/// What other rules may have against the second device: those that name the interface, or its port,
/// while none names the second. A guess from their text, for people.
std::optional<Error> doubt_firewall(const State& state, std::uint16_t interface_port);

} // namespace wgkit::rotate
