#include <fmt/format.h>

#include "common/json.hpp"
#include "store/commands.hpp"
#include "store/common.hpp"

namespace wgkit::tool::store {

namespace {

struct RotateCommandOptions {
    StoreCommandOptions common;
    wgkit::agent::RotateOptions rotate;
    bool all = false;
    std::uint32_t at_once = 100;
    std::uint32_t patience = 60;
    std::uint32_t timeout = 600;
};

int run_rotate(RotateCommandOptions& options, const Report& report) {
    if (options.all != options.rotate.nodes.empty()) {
        report.error("whose keys?", "name nodes, or give --all");
        return exit_usage;
    }
    options.rotate.at_once = options.at_once;
    options.rotate.patience = std::chrono::seconds(options.patience);
    options.rotate.timeout = std::chrono::seconds(options.timeout);
    options.rotate.tell = [&report](const std::string& text) { report.note(text); };
    return with_operator(options.common, report, [&](const wgkit::agent::Operator& op) {
        const auto done = wgkit::agent::rotate_keys(op, options.rotate);
        if (!done) return report.error(done.error());
        if (options.common.json)
            print({{"schema", 1}, {"rotated", done->nodes}, {"revision", done->revision}});
        else
            fmt::print("new keys: {}\n", fmt::join(done->nodes, ", "));
        return static_cast<int>(exit_ok);
    });
}

} // namespace

Action setup_rotate(Arguments arguments) {
    auto options = std::make_shared<RotateCommandOptions>();
    arguments.add_option("node", options->rotate.nodes, "Nodes that get new keys")
        .type_name("NODE");
    add_home(arguments, options->common);
    add_validity(arguments, options->common);
    arguments.add_flag("--all", options->all, "All nodes that run an agent");
    arguments.add_option("--at-once", options->at_once, "How many nodes get new keys at once")
        .type_name("N")
        .range(1, 100000)
        .shows_default();
    arguments
        .add_option("--patience", options->patience, "How long nodes have to make their new keys")
        .type_name("SECONDS")
        .range(1, 86400)
        .shows_default();
    arguments
        .add_option("--timeout", options->timeout, "How long to wait until all have changed over")
        .type_name("SECONDS")
        .range(1, 86400)
        .shows_default();
    arguments.add_flag("--leave-behind", options->rotate.leave_behind,
                       "Go on although peers without an agent will be cut off");
    add_json(arguments, options->common);
    return [options](const Report& report) { return run_rotate(*options, report); };
}

} // namespace wgkit::tool::store
