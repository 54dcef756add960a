#include <fmt/format.h>

#include "commands.hpp"
#include "common/json.hpp"
#include "common/progress.hpp"

namespace wgkit::tool::mesh {

namespace {

struct RenderOptions {
    std::string nodes = "nodes.yaml";
    wgkit::mesh::RenderOptions render;
    std::string format;
    bool json = false;
    bool quiet = false;
};

std::string cost_line(const wgkit::mesh::RunningCost& cost) {
    return fmt::format("{} link{}, {:.2f} keepalives/s, up to {:.2f} handshakes/s, {} of config a "
                       "node",
                       cost.links, cost.links == 1 ? "" : "s", cost.keepalives_per_second,
                       cost.handshakes_per_second,
                       human_bytes(cost.nodes == 0 ? 0 : cost.config_bytes / cost.nodes));
}

/// Above this many peers a node, a full mesh costs more than most fleets gain from it.
constexpr std::size_t large_mesh = 250;

void print_summary(const wgkit::mesh::RenderSummary& summary, const RenderOptions& options,
                   const Report& report) {
    fmt::print("{}: {} files written, {} unchanged, {} removed\n", options.render.out,
               summary.files_written, summary.files_unchanged, summary.files_removed);
    if (summary.keys_created != 0)
        fmt::print("keys: {} made; back up the keys folder\n", summary.keys_created);
    if (!options.render.only.empty()) return; // the cost is the whole fleet's
    fmt::print("running cost: {}\n", cost_line(summary.cost));
    const auto nodes = std::max<std::size_t>(summary.cost.nodes, 1);
    if (2 * summary.cost.links / nodes > large_mesh)
        report.warning(fmt::format("each node has about {} peers", 2 * summary.cost.links / nodes),
                       "a partial mesh by tags, or hubs, would cost far less: see `topology` in "
                       "wgkit-nodes(5)");
}

Json to_json(const wgkit::mesh::RenderSummary& summary, const RenderOptions& options) {
    return {{"schema", 1},
            {"out", options.render.out},
            {"written", summary.files_written},
            {"unchanged", summary.files_unchanged},
            {"removed", summary.files_removed},
            {"keys_created", summary.keys_created},
            {"lock_written", summary.lock_written},
            {"cost",
             {{"nodes", summary.cost.nodes},
              {"links", summary.cost.links},
              {"keepalives_per_second", summary.cost.keepalives_per_second},
              {"handshakes_per_second", summary.cost.handshakes_per_second},
              {"config_bytes", summary.cost.config_bytes}}}};
}

int run_render(RenderOptions& options, const Report& report) {
    auto fleet = load(options.nodes, report);
    if (!fleet) return exit_failed;
    if (!options.format.empty()) options.render.format = *format_named(options.format);
    options.render.today = wgkit::mesh::today();
    Progress progress("rendering", options.quiet || options.json);
    options.render.progress = [&](std::size_t done, std::size_t total) {
        progress.update(done, total);
    };
    const auto summary = wgkit::mesh::render(*fleet, options.render);
    progress.finish();
    if (!summary) return report.error(summary.error());
    if (options.json)
        print(to_json(*summary, options));
    else if (!options.quiet)
        print_summary(*summary, options, report);
    return exit_ok;
}

} // namespace

Action render(Arguments app) {
    auto options = std::make_shared<RenderOptions>();
    add_nodes_argument(app, options->nodes);
    app.add_option("-o,--out", options->render.out, "Folder to write to, a subfolder a node")
        .type_name("DIR")
        .shows_default();
    add_format_option(app, options->format, "Format for every node, instead of its own");
    app.add_option("--only", options->render.only, "Render these nodes only").type_name("NODE");
    app.add_flag("--locked", options->render.locked,
                 "Allocate no address and make no key; fail if that would be needed");
    app.add_flag("--insecure-permissions", options->render.allow_open_keys,
                 "Accept key files that others may read");
    app.add_option("--threads", options->render.threads,
                   "Threads to render with; 0: one for each processor")
        .type_name("N")
        .shows_default();
    app.add_flag("--json", options->json, "Print the summary as JSON");
    app.add_flag("-q,--quiet", options->quiet, "Print no summary and no progress");
    return [options](const Report& report) { return run_render(*options, report); };
}

} // namespace wgkit::tool::mesh
