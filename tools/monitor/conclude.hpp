#pragma once

#include <optional>
#include <string>

#include "common/report.hpp"
#include "monitor/options.hpp"
#include "monitor/store.hpp"
#include "wgkit/files.hpp"

/// The end of a run.
namespace wgkit::tool::monitor {

/// What a run found out, ready to be told.
struct Found {
    Level level = Level::ok;
    /// In the format that was asked for; made last, when the rest takes no memory any more.
    files::Producer text = [](const files::Sink&) {};
    std::string events;    ///< for wgkit-alert
    files::Producer state; ///< of the next run; none: as it is
};

/// For a text that is there already.
inline files::Producer whole(std::string text) {
    return [text = std::move(text)](const files::Sink& to) { to(text); };
}

/// Hands the events over, keeps the state, prints the text; returns the exit status.
int conclude(const MonitorOptions& options, Found found, const std::optional<Store>& store,
             const Report& report);

/// Prints the error and returns the status of a run that cannot tell.
int cannot_tell(const Report& report, const Error& error);

} // namespace wgkit::tool::monitor
