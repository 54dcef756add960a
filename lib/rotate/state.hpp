#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wgkit/device.hpp"
#include "wgkit/result.hpp"
#include "wgkit/rotate.hpp"
#include "wgkit/secret.hpp"

namespace wgkit::rotate {

/// A setting of the kernel that the rotation has changed, to be set again.
struct RpFilter {
    std::string interface;
    int value = 0;
};

/// All that a rotation must know to go on after a kill or a reboot. The peers of the three devices
/// are those that take part, in the same order: `before.peers[i]`, `after.peers[i]` and
/// `second.peers[i]` are one end's keys. Every field of theirs is set, "none" too.
struct State {
    Phase phase = Phase::prepared;
    bool going_back = false;
    std::string interface;
    std::string file; ///< the interface's, absolute
    std::string second_name;
    WantedDevice before;
    WantedDevice after;
    WantedDevice second;
    std::vector<RpFilter> rp_filters;

    /// What the interface shall be, and what it shall no longer be.
    const WantedDevice& wanted() const { return going_back ? before : after; }
    const WantedDevice& unwanted() const { return going_back ? after : before; }
};

/// The record as text: `word value` lines, then each device as wg(8) would have it in a file.
SecretString to_text(const State& state);
/// Errors: invalid; `path` only names it.
Result<State> parse_state(std::string_view text, const std::string& path);

/// Its place in the folder, which is made: FOLDER/INTERFACE.state, mode 0600.
Result<void> save(const State& state, const std::string& folder);
/// Nothing if there is none. Errors: permission, invalid, system.
Result<std::optional<State>> load(const std::string& interface, const std::string& folder);
/// The record, and what killed runs have left of it.
Result<void> remove(const std::string& interface, const std::string& folder);
/// Removes temporary files for `path` that killed runs have left: they hold keys.
void remove_temporaries(const std::string& path);

/// A copy, keys included.
WantedPeer copy_of(const WantedPeer& peer);

} // namespace wgkit::rotate
