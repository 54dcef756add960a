#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wgkit/interface.hpp"

namespace wgkit {

/// Runs commands of a file in order, each in a bash of its own, as wg-quick does: `%i` is the
/// interface, the first that fails ends it. The commands are on no command line that others see.
Result<void> run_hooks(const std::vector<std::string>& hooks, const InterfaceFile& file,
                       const InterfaceOptions& options);

/// Takes out of the hooks the one by which `wgkit mesh render` has a node load its own private key
/// (`keys: node`), `wg set %i private-key PATH`, and returns the path.
std::optional<std::string> take_key_path(std::vector<std::string>& hooks,
                                         const std::string& interface);

} // namespace wgkit
