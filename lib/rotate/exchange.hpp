#pragma once

#include <vector>

#include "rotate/state.hpp"

/// What the ends of a rotation tell each other, turned into devices. Pure.
namespace wgkit::rotate {

/// An end that has not switched yet is heard this often. Units: seconds.
inline constexpr std::uint16_t audible_seconds = 2;

/// The record of a rotation that begins; makes the keys. `present`: the interface's device.
/// Errors: invalid (no key, no name for a second device).
Result<State> begin(const Device& present, const InterfaceFile& file, const Options& options);

/// What the record has to offer.
Offer offer_of(const State& state);

/// Adds the other end that makes the offer, or changes it. Errors: as `accept`.
Result<void> add_offer(State& state, const Device& present, Offer offer);

/// Peers of the interface that are no part of it, and will not know its new key.
std::vector<PublicKey> left_behind(const State& state, const Device& present);

/// Whether the interface is as `state.wanted()` has it, as far as keys go.
bool has_wanted_keys(const State& state, const Device& present);

} // namespace wgkit::rotate
