#include "monitor/policy.hpp"
#include "monitor/wishes_file.hpp"

// A library of its own, see policy.hpp.

namespace wgkit::tool::monitor {

namespace {

/// As written in a file, relative to that file.
std::string beside(const std::string& file, const std::string& path) {
    const std::size_t slash = file.rfind('/');
    return path.starts_with('/') || slash == std::string::npos ? path
                                                               : file.substr(0, slash + 1) + path;
}

bool read_nodes(const std::string& path, std::vector<KnownNode>& nodes, const Report& report) {
    if (path.empty()) return true;
    const auto fleet = mesh::load(mesh::Paths::beside(path), mesh::today());
    if (!fleet) {
        report.error(fleet.error());
        return false;
    }
    if (fleet->diagnostics.errors() != 0) {
        report.findings(fleet->diagnostics, fleet->source);
        return false;
    }
    nodes = known_nodes(*fleet);
    return true;
}

} // namespace

} // namespace wgkit::tool::monitor

extern "C" __attribute__((visibility("default"))) bool
wgkit_read_policy_files(const wgkit::tool::monitor::PolicyFiles& files,
                        wgkit::monitor::Policy& policy, const wgkit::tool::Report& report) {
    using namespace wgkit::tool::monitor;
    wgkit::Diagnostics diagnostics(files.config);
    Wishes wishes;
    std::vector<KnownNode> nodes;
    if (!read_wishes(files.config, wishes, diagnostics, report)) return false;
    const std::string path = files.nodes.empty() && !wishes.nodes.empty()
                                 ? beside(files.config, wishes.nodes)
                                 : files.nodes;
    if (!read_nodes(path, nodes, report)) return false;
    apply(wishes, nodes, policy, diagnostics);
    report.findings(diagnostics);
    return true;
}
