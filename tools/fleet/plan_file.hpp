#pragma once

#include <string>
#include <vector>

#include "fleet/survey.hpp"

namespace wgkit::tool::fleet {

/// A saved plan: for which inventory it was made, what each node was then, and what it is to get.
/// Holds hashes instead of files, and so no secret.
struct PlanFile {
    struct Item {
        std::string node;
        std::string interface;
        std::string config_hash;
        std::string state_hash;
        bool changes = false;
    };
    std::string inventory_hash;
    std::vector<Item> items;
};

PlanFile make_plan(const wgkit::mesh::Fleet& fleet, const std::vector<Surveyed>& nodes);
Result<void> write_plan(const PlanFile& plan, const std::string& path);
/// Errors: not_found, invalid.
Result<PlanFile> read_plan(const std::string& path);

/// Keeps of the nodes what the plan is about, and has each refuse the change if it is no longer
/// what it was then. Nodes that have all of it already are left out.
/// Errors: conflict (another inventory; other files than planned).
Result<void> hold_to_plan(const PlanFile& plan, const wgkit::mesh::Fleet& fleet,
                          std::vector<Surveyed>& nodes);

} // namespace wgkit::tool::fleet
