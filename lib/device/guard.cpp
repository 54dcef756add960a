#include <fmt/format.h>

#include <algorithm>

#include "wgkit/device.hpp"

namespace wgkit {

namespace {

constexpr std::size_t most_removals = 3;
constexpr std::size_t removals_share = 5; ///< one of so many

} // namespace

std::size_t removal_limit(const Device& present) {
    return std::min(most_removals, present.peers.size() / removals_share);
}

Result<void> guard(const WantedDevice& wanted, const Device& present, const DeviceChange& change,
                   std::optional<std::size_t> allowed_removals) {
    if (wanted.peers.empty() && !wanted.private_key && !wanted.listen_port && !wanted.fwmark)
        return Error{Errc::invalid, "it says nothing about the device",
                     "an empty file would remove every peer"};
    if (!wanted.private_key && !present.private_key)
        return Error{Errc::invalid,
                     fmt::format("it has no PrivateKey, and none is loaded on {}", present.name),
                     "add the PrivateKey line, or load one with `wg set`"};
    if (change.private_key && is_zero(*change.private_key) && !wanted.peers.empty())
        return Error{Errc::invalid, "its PrivateKey is all zeros, but it has peers",
                     "`wgkit keygen genkey` makes one"};
    const std::size_t removals = change.removed_peers.size();
    const std::size_t limit = allowed_removals.value_or(removal_limit(present));
    if (removals <= limit) return {};
    return Error{Errc::conflict,
                 fmt::format("it lacks {} of the {} peers of {}", removals, present.peers.size(),
                             present.name),
                 fmt::format("--allow-removals {} if they are to go", removals)};
}

} // namespace wgkit
