#include "monitor/conclude.hpp"

#include <algorithm>
#include <cstdio>

#include "wgkit/files.hpp"
#include "wgkit/monitor_formats.hpp"

namespace wgkit::tool::monitor {

int cannot_tell(const Report& report, const Error& error) {
    report.error(error);
    return static_cast<int>(Level::unknown);
}

int conclude(const MonitorOptions& options, Found found, const std::optional<Store>& store,
             const Report& report) {
    Level level = found.level;
    // Before the state is kept: a run that ends in between is made up for by the next.
    if (options.receivers.any())
        if (const auto told = deliver(options.receivers, found.events,
                                      seconds(std::max(1U, options.timeout / 2)));
            !told) {
            report.error(told.error());
            level = worse(level, Level::unknown);
        }
    if (store && found.state)
        if (const auto saved = store->save(found.state); !saved) {
            report.error(saved.error()); // what was found out is told all the same
            level = worse(level, Level::unknown);
        }
    found.state = {};
    found.events = {};
    if (options.output.empty()) {
        found.text(
            [](std::string_view piece) { std::fwrite(piece.data(), 1, piece.size(), stdout); });
    } else if (const auto written = files::replace(options.output, found.text, 0644); !written) {
        return cannot_tell(report, written.error());
    }
    return static_cast<int>(level);
}

} // namespace wgkit::tool::monitor
