#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "mesh/output/output_tree.hpp"
#include "mesh/render/node_view.hpp"
#include "wgkit/mesh.hpp"

namespace wgkit::mesh {

/// One node whose files are to be rendered.
struct RenderJob {
    std::size_t network;
    NodeIndex node;
};

struct RenderJobResult {
    std::vector<OutputTree::Put> files;
    std::size_t peers = 0;
    double keepalives_per_second = 0;
};

/// Is the node one that files are rendered for?
bool has_files(const Plan& plan, NodeIndex node);

/// The nodes that `only` names, or all that have files. Errors: not_found for an unknown name.
Result<std::vector<RenderJob>> list_jobs(const Fleet& fleet, const std::vector<std::string>& only);

/// Takes one rendered file; called from several threads.
using FileSink = std::function<Result<OutputTree::Put>(const std::string& path,
                                                       std::string_view content, mode_t mode)>;

/// Renders the jobs on several threads into the sink; results are in the order of the jobs.
/// Errors: the first one that the sink or a missing PSK epoch caused.
Result<std::vector<RenderJobResult>>
run_jobs(const Fleet& fleet, const std::vector<NetworkSecrets>& secrets,
         const RenderOptions& options, const std::vector<RenderJob>& jobs, const FileSink& sink);

} // namespace wgkit::mesh
