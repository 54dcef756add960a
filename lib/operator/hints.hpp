#pragma once

#include <map>
#include <span>
#include <string>

#include "store/client.hpp"
#include "store/layout.hpp"
#include "trust/verify.hpp"

namespace wgkit::agent {

/// What nodes say of themselves, by name: the last word of each that is signed by its agent.
/// Errors: those of the store.
Result<std::map<std::string, trust::Hint>> read_hints(store::Client& client,
                                                      const store::Layout& layout,
                                                      const trust::State& state,
                                                      std::span<const trust::NodeRecord> nodes);

} // namespace wgkit::agent
