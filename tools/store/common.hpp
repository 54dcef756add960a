#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/app.hpp"
#include "wgkit/fleet_store.hpp"

namespace wgkit::tool::store {

/// What every command takes.
struct StoreCommandOptions {
    std::string home = "store";
    std::uint32_t valid_days = 30;
    bool json = false;
};

void add_home(Arguments arguments, StoreCommandOptions& options);
/// For those that publish.
void add_validity(Arguments arguments, StoreCommandOptions& options);
void add_stale_policy(Arguments arguments, std::string& policy);
void add_json(Arguments arguments, StoreCommandOptions& options);

/// Calls `act` with an operator; its result is the exit status.
int with_operator(const StoreCommandOptions& options, const Report& report,
                  const std::function<int(const wgkit::agent::Operator&)>& act);

/// The inventory with its lock; nothing if it has errors, which are told.
std::optional<mesh::Fleet> load_inventory(const std::string& path, const Report& report);
/// What --stale-policy says; nothing: as before.
std::optional<bool> drops(const std::string& stale_policy);
void warn_of_hooks(const Report& report);

/// "30m", "12h" or "7d" in seconds.
std::optional<std::int64_t> parse_duration(std::string_view text);

} // namespace wgkit::tool::store
