#pragma once

#include <string>
#include <vector>

#include "wgkit/monitor.hpp"

/// Where samples come from.
namespace wgkit::tool::monitor {

using namespace wgkit::monitor;

struct Sources {
    std::vector<std::string> interfaces; ///< empty: all
    std::vector<std::string> netns;      ///< beside this process's
    std::string dump;                    ///< a file, or "-"; empty: the devices of this machine
};

struct Samples {
    std::vector<DeviceSample> devices;
    std::vector<Error> problems; ///< what could not be read; the rest is there
};

Samples take(const Sources& sources);
/// Now, on all clocks.
Instant read_clocks();

} // namespace wgkit::tool::monitor
