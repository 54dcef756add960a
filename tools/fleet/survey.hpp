#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fleet/common.hpp"

namespace wgkit::tool::fleet {

/// A node with the files that it should have, and what it said of them.
struct Surveyed {
    Target target;
    std::vector<wgkit::fleet::WantedFile> files;
    std::optional<wgkit::fleet::WantedFirewall> firewall; ///< nothing without a policy
    bool echo = true; ///< its policy has nodes answer echo requests
    std::optional<Error>
        unsupported; ///< why it cannot be configured from here; then it is not asked
    Reply reply;

    /// What is to be changed on it: lines of its files and rules of its firewall, and peers of its
    /// devices that differ though the files do not.
    std::size_t changes() const;
    /// All that it is asked for, in a request.
    wgkit::fleet::NodeRequest request(const std::string& verb) const;
};

/// Renders the fleet's files and asks every node what they would change there. Keys and the lock's
/// entries that are missing are made, unless `locked`.
/// Errors: those of rendering.
Result<std::vector<Surveyed>> survey(wgkit::mesh::Fleet& fleet, Transport& transport,
                                     const FleetOptions& options,
                                     const std::vector<std::string>& only, bool locked);

/// What stands for all nodes that are configured by other programs than wg-quick. Nothing may be
/// changed then: their peers would change without them.
std::optional<Error> unsupported_nodes(const std::vector<Surveyed>& nodes);

/// What stands for all nodes that would lose more peers than `allowed`, or than `removal_limit`.
std::optional<Error> too_many_removals(const std::vector<Surveyed>& nodes,
                                       std::optional<std::uint32_t> allowed);

/// How many changes JSON of `wgkit net plan` names; endpoints of silent peers do not count.
std::size_t count_device_changes(const std::string& json);

} // namespace wgkit::tool::fleet
