#pragma once

#include <string>
#include <vector>

#include "common/report.hpp"
#include "wgkit/monitor.hpp"

/// Names and expectations of peers, from the files that the command line names.
namespace wgkit::tool::monitor {

using namespace wgkit::monitor;

/// What reads them is a library that is loaded when a file is named: with YAML it would make every
/// run take three times as long to start.
struct PolicyFiles {
    std::string config;             ///< monitor.yaml
    std::string nodes;              ///< nodes.yaml; goes before the one that the config names
    std::vector<std::string> names; ///< files of wg-quick, whose comments name peers
};

/// Adds to `policy`, whose `otherwise` is the command line's. Findings are reported; false: there
/// were errors.
bool read_policy(const PolicyFiles& files, Policy& policy, const Report& report);

/// The library's one function, by its name in C.
using ReadPolicyFiles = bool (*)(const PolicyFiles&, Policy&, const Report&);
inline constexpr const char* read_policy_files_name = "wgkit_read_policy_files";

} // namespace wgkit::tool::monitor
