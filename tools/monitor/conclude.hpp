#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/report.hpp"
#include "monitor/options.hpp"
#include "monitor/store.hpp"

/// The end of a run.
namespace wgkit::tool::monitor {

/// What a run found out, ready to be told.
struct Found {
    Level level = Level::ok;
    /// In the format that was asked for; made last, when the rest takes no memory any more.
    std::function<std::string()> text = [] { return std::string(); };
    std::string events; ///< for wgkit-alert
    std::string state;  ///< of the next run; empty: as it is
};

/// Hands the events over, keeps the state, prints the text; returns the exit status.
int conclude(const MonitorOptions& options, Found found, const std::optional<Store>& store,
             const Report& report);

/// Prints the error and returns the status of a run that cannot tell.
int cannot_tell(const Report& report, const Error& error);

} // namespace wgkit::tool::monitor
