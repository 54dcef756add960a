#include <fmt/format.h>

#include <map>

#include "commands.hpp"
#include "common/json.hpp"
#include "wgkit/changes.hpp"

namespace wgkit::tool::mesh {

namespace {

using wgkit::mesh::Change;

struct PlanOptions {
    std::string nodes = "nodes.yaml";
    wgkit::mesh::RenderOptions render;
    std::string format;
    bool json = false;
};

std::string_view verb(Change::Kind kind) {
    switch (kind) {
    case Change::Kind::create:
        return "create";
    case Change::Kind::update:
        return "update";
    case Change::Kind::remove:
        return "remove";
    }
    return "";
}

/// Files that change in the same way are one entry: adding a node to a mesh of thousands should
/// not print thousands of equal lines.
void print_text(const std::vector<Change>& changes) {
    std::map<std::pair<Change::Kind, std::vector<std::string>>, std::size_t> place;
    std::vector<std::vector<const Change*>> groups;
    for (const auto& change : changes) {
        const auto [at, is_new] =
            place.emplace(std::pair(change.kind, change.details), groups.size());
        if (is_new) groups.emplace_back();
        groups[at->second].push_back(&change);
    }
    constexpr std::size_t shown = 3;
    for (const auto& group : groups) {
        const bool whole_files = group.front()->details.empty();
        for (std::size_t i = 0; i < group.size() && (i < shown || group.size() == shown + 1); ++i)
            fmt::print("{} {}\n", verb(group[i]->kind), group[i]->path);
        if (group.size() > shown + 1)
            fmt::print("{} {} files more{}\n", verb(group.front()->kind), group.size() - shown,
                       whole_files ? "" : ", all with");
        for (const auto& line : group.front()->details) fmt::print("    {}\n", line);
    }
    std::map<std::string_view, std::size_t> count;
    for (const auto& change : changes) ++count[verb(change.kind)];
    fmt::print("{} to create, {} to update, {} to remove\n", count["create"], count["update"],
               count["remove"]);
}

Json to_json(const std::vector<Change>& changes) {
    Json list = Json::array();
    for (const auto& change : changes)
        list.push_back(
            {{"change", verb(change.kind)}, {"path", change.path}, {"details", change.details}});
    return {{"schema", 1}, {"changes", list}};
}

int run_plan(PlanOptions& options, const Report& report) {
    auto fleet = load(options.nodes, report);
    if (!fleet) return exit_failed;
    if (!options.format.empty()) options.render.format = *format_named(options.format);
    options.render.today = wgkit::mesh::today();
    const auto changes = wgkit::mesh::plan_changes(*fleet, options.render);
    if (!changes) return report.error(changes.error());
    if (options.json)
        print(to_json(*changes));
    else
        print_text(*changes);
    return changes->empty() ? exit_ok : exit_differences;
}

} // namespace

Action plan(Arguments app) {
    app.alias("diff");
    auto options = std::make_shared<PlanOptions>();
    add_nodes_argument(app, options->nodes);
    app.add_option("-o,--out", options->render.out, "Folder that render writes to")
        .type_name("DIR")
        .shows_default();
    add_format_option(app, options->format, "Format for every node, instead of its own");
    app.add_flag("--insecure-permissions", options->render.allow_open_keys,
                 "Accept key files that others may read");
    app.add_flag("--json", options->json, "Print the changes as JSON");
    return [options](const Report& report) { return run_plan(*options, report); };
}

} // namespace wgkit::tool::mesh
