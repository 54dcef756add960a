#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/app.hpp"
#include "fleet/transport.hpp"
#include "wgkit/mesh.hpp"

namespace wgkit::tool::fleet {

/// What every command that goes to nodes takes.
struct FleetOptions {
    std::string nodes = "nodes.yaml";
    std::uint32_t parallel = 16;
    std::uint32_t connect_timeout = 10;
    bool json = false;
};

void add_fleet_options(Arguments arguments, FleetOptions& options);

/// The fleet, if it has no errors; those are printed.
std::optional<wgkit::mesh::Fleet> load_fleet(const std::string& path, const Report& report);

/// The nodes that are configured from here and in use, in the order of the inventory; only those
/// that are named, if some are. Errors: not_found for an unknown name.
Result<std::vector<Target>> targets_of(const wgkit::mesh::Fleet& fleet,
                                       const std::vector<std::string>& only = {});

/// Calls `act` for each target, so many at once, and shows how far that is. In `act`, nothing is
/// printed: it runs on several threads.
void for_each_target(const std::vector<Target>& targets, unsigned parallel, const char* what,
                     const std::function<void(std::size_t index)>& act, bool silent = false);

/// One call to every target.
std::vector<Reply>
call_all(Transport& transport, const std::vector<Target>& targets, const FleetOptions& options,
         const char* what, const std::function<wgkit::fleet::NodeRequest(std::size_t index)>& make);

/// The first error among findings about a file.
std::optional<Error> first_error(const Diagnostics& diagnostics);

/// user@host of this machine.
std::string operator_name();
wgkit::fleet::NodeRequest request_for(const std::string& verb);

/// What the fleet calls a key; else the key.
std::string name_of_key(const wgkit::mesh::Fleet& fleet, const PublicKey& key);

} // namespace wgkit::tool::fleet
