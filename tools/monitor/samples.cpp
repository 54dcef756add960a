#include "monitor/compare.hpp"
#include "wgkit/files.hpp"
#include "wgkit/monitor_fleet.hpp"

namespace wgkit::tool::monitor {

Result<wgkit::monitor::State> parse_samples(std::string_view text, const std::string& path) {
    auto state = text.starts_with("wgkit-monitor-state") ? wgkit::monitor::parse_state(text)
                                                         : wgkit::monitor::state_from_json(text);
    if (state) return state;
    Error error = state.error();
    error.message = path + ": " + error.message;
    if (error.hint.empty())
        error.hint = "it must be a state file, or the output of wgkit monitor --format json";
    return error;
}

Result<wgkit::monitor::State> read_samples(const std::string& path) {
    const auto text = files::read(path);
    if (!text) return text.error();
    return parse_samples(*text, path);
}

} // namespace wgkit::tool::monitor
