#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "net/convergence.hpp"

/// How an interface was before a change, as text, and back to that.
namespace wgkit::tool::net {

struct Snapshot {
    SecretString device; ///< a file as of wg(8), whole: with keys, endpoints and what is off
    std::string state;   ///< JSON: what else is needed; without secrets
};

/// Of what the change `it` starts from. The host is in it if the change is about it, too.
Snapshot take_snapshot(const Convergence& it);

/// The state that a snapshot holds.
struct Before {
    WantedDevice device;
    std::map<PublicKey, std::int64_t> handshakes; ///< each peer's latest; Units: seconds since 1970
    std::optional<HostState> host;
    std::uint32_t mark = 0;       ///< the firewall mark before the change
    std::uint32_t mark_after = 0; ///< and after it
};
/// Errors: invalid.
Result<Before> read_snapshot(const Snapshot& snapshot);

/// What of it is to come back to the device that is there now. Keys that are revoked do not:
/// neither peers nor a private key of the device's own. The endpoint of a peer that has been heard
/// since stays where it is. Pure.
void adjust(Before& before, const Device& present, std::span<const PublicKey> revoked);

} // namespace wgkit::tool::net
