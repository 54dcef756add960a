#pragma once

#include <optional>

#include "common/report.hpp"
#include "monitor/options.hpp"
#include "monitor/store.hpp"

/// The end of a run.
namespace wgkit::tool::monitor {

/// What a run found out, ready to be told.
struct Found {
    Level level = Level::ok;
    std::string text;   ///< in the format that was asked for
    std::string events; ///< for wgkit-alert
    std::string state;  ///< of the next run; empty: as it is
};

/// Hands the events over, keeps the state, prints the text; returns the exit status.
int conclude(const MonitorOptions& options, const Found& found, const std::optional<Store>& store,
             const Report& report);

/// Prints the error and returns the status of a run that cannot tell.
int cannot_tell(const Report& report, const Error& error);

} // namespace wgkit::tool::monitor
