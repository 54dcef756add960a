#pragma once

#include <map>
#include <string>
#include <vector>

#include "wgkit/firewall_state.hpp"

namespace wgkit::fw {

/// How many parts a RuleText has.
std::size_t parts_of(Backend backend);

/// Rules as listed, by chain or set. Elements of sets are sorted; rules stay in their order.
using Places = std::map<std::string, std::vector<std::string>>;
Places places_of(const RuleText& rules);

/// Whether the order of lines in a place means nothing.
bool is_unordered(std::string_view place);

} // namespace wgkit::fw
