#pragma once

#include <string>
#include <vector>

#include "rotate/state.hpp"

/// What a step waits for, at most `Options::timeout`; not at all without `Options::wait`. Errors:
/// conflict (what is still in the way), those of the device.
namespace wgkit::rotate {

/// Until all peers have a session on the device.
Result<void> await_sessions(const State& state, const std::string& device,
                            const std::vector<WantedPeer>& peers, const Options& options);

/// Until nothing has come in for `Options::quiet`.
Result<void> await_quiet_interface(const State& state, const Options& options);
Result<void> await_quiet_second(const State& state, const Options& options);

/// On the way back there may be a session from before, which the other end may have given up with
/// its keys, or not. One that is alive is heard, and so is a new one. To be heard by the other
/// end, and not to keep it from speaking, this one speaks once and is silent then.
Result<void> await_life(const State& state, const Options& options);

/// The keys for a message; of many the first ones.
std::string names_of(const std::vector<PublicKey>& keys);

} // namespace wgkit::rotate
