#pragma once

#include <cstdint>
#include <string>

#include "common/deliver.hpp"
#include "monitor/policy.hpp"
#include "monitor/sources.hpp"

namespace wgkit::tool::monitor {

/// A control plane to ask instead of looking at devices.
struct HeadscaleOptions {
    std::string url; ///< empty: none
    std::string key_file;
    std::string ca_file;
    std::uint32_t grace = 300; ///< seconds
};

/// Hosts to ask instead of looking at devices.
struct FleetOptions {
    std::string nodes;  ///< nodes.yaml; empty: none
    std::string folder; ///< of what they told already; empty: ask by ssh
    std::string keep;   ///< the folder for what they tell; empty: it is not kept
};

/// What the command line of a run holds.
struct MonitorOptions {
    Sources sources;
    HeadscaleOptions headscale;
    FleetOptions fleet;
    PolicyFiles policy;
    Receivers receivers;
    std::string state;
    std::string format = "text";
    std::string compat = "own";
    std::string output;
    std::string explain;
    std::uint32_t max_stale = 0;
    std::uint32_t interval = 0;
    std::uint32_t now = 0;
    std::uint32_t timeout = 60;
    std::uint32_t bad_runs = 1;
    bool strict = false;
    bool probe = false;
    bool all = false;
    bool watch = false;
    bool no_state = false;
};

} // namespace wgkit::tool::monitor
