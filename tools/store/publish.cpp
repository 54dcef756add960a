#include <fmt/format.h>

#include "common/json.hpp"
#include "store/commands.hpp"
#include "store/common.hpp"

namespace wgkit::tool::store {

namespace {

struct PublishCommandOptions {
    StoreCommandOptions common;
    std::string nodes = "nodes.yaml";
    std::string stale_policy;
};

void print_published(const wgkit::agent::Published& done, bool json) {
    if (json) {
        print({{"schema", 1},
               {"revision", done.revision},
               {"nodes", done.nodes},
               {"added", done.added},
               {"changed", done.changed},
               {"removed", done.removed}});
        return;
    }
    fmt::print("revision {}: {} nodes, {} added, {} changed, {} removed\n", done.revision,
               done.nodes, done.added.size(), done.changed.size(), done.removed.size());
}

int run_publish(const PublishCommandOptions& options, const Report& report) {
    const auto fleet = load_inventory(options.nodes, report);
    if (!fleet) return exit_failed;
    return with_operator(options.common, report, [&](const wgkit::agent::Operator& op) {
        const auto done = wgkit::agent::publish(op, *fleet, drops(options.stale_policy));
        if (!done) return report.error(done.error());
        if (done->left_hooks_out) warn_of_hooks(report);
        print_published(*done, options.common.json);
        return static_cast<int>(exit_ok);
    });
}

} // namespace

Action setup_publish(Arguments arguments) {
    auto options = std::make_shared<PublishCommandOptions>();
    arguments.add_option("file", options->nodes, "The inventory; its lock is beside it")
        .type_name("FILE")
        .shows_default();
    add_home(arguments, options->common);
    add_validity(arguments, options->common);
    add_stale_policy(arguments, options->stale_policy);
    add_json(arguments, options->common);
    return [options](const Report& report) { return run_publish(*options, report); };
}

} // namespace wgkit::tool::store
