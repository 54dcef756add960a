#pragma once

#include <string>
#include <vector>

#include "common/json.hpp"
#include "fleet/survey.hpp"

namespace wgkit::tool::fleet {

/// The plan of a fleet for people: what changes on each node, then a count.
std::string plan_text(const wgkit::mesh::Fleet& fleet, const std::vector<Surveyed>& nodes,
                      bool colour);
Json plan_json(const std::vector<Surveyed>& nodes);

/// Prints why nodes gave no answer, and warns where ssh comes through what is to be changed.
/// Returns exit_failed if some did not answer.
int report_troubles(const std::vector<Surveyed>& nodes, const Report& report);

} // namespace wgkit::tool::fleet
