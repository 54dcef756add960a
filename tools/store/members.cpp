#include <fmt/format.h>

#include "common/json.hpp"
#include "store/commands.hpp"
#include "store/common.hpp"

namespace wgkit::tool::store {

namespace {

struct ApproveCommandOptions {
    StoreCommandOptions common;
    std::vector<std::string> names;
};

struct RevokeCommandOptions {
    StoreCommandOptions common;
    std::string name;
    std::string join_key;
};

int run_approve(const ApproveCommandOptions& options, const Report& report) {
    return with_operator(options.common, report, [&](const wgkit::agent::Operator& op) {
        const auto done = wgkit::agent::approve(op, options.names);
        if (!done) return report.error(done.error());
        for (const auto& [name, why] : done->refused) report.error(why);
        if (options.common.json) {
            auto refused = Json::array();
            for (const auto& [name, why] : done->refused)
                refused.push_back({{"name", name}, {"why", why}});
            print({{"schema", 1}, {"approved", done->approved}, {"refused", refused}});
        } else {
            for (const auto& name : done->approved) fmt::print("{}\n", name);
        }
        return static_cast<int>(done->refused.empty() ? exit_ok : exit_failed);
    });
}

int run_revoke(const RevokeCommandOptions& options, const Report& report) {
    if (options.name.empty() == options.join_key.empty()) {
        report.error("name a node, or a join key with --join-key");
        return exit_usage;
    }
    return with_operator(options.common, report, [&](const wgkit::agent::Operator& op) {
        const auto done = options.name.empty() ? wgkit::agent::revoke_join_key(op, options.join_key)
                                               : wgkit::agent::revoke_node(op, options.name);
        return done ? static_cast<int>(exit_ok) : report.error(done.error());
    });
}

} // namespace

Action setup_approve(Arguments arguments) {
    auto options = std::make_shared<ApproveCommandOptions>();
    arguments.add_option("node", options->names, "Names of nodes; all that wait, without")
        .type_name("NODE");
    add_home(arguments, options->common);
    add_validity(arguments, options->common);
    add_json(arguments, options->common);
    return [options](const Report& report) { return run_approve(*options, report); };
}

Action setup_revoke(Arguments arguments) {
    auto options = std::make_shared<RevokeCommandOptions>();
    arguments.add_option("node", options->name, "Name of a node").type_name("NODE");
    arguments
        .add_option("--join-key", options->join_key,
                    "Id of a join key, whose nodes go, too, unless they were approved")
        .type_name("ID");
    add_home(arguments, options->common);
    add_validity(arguments, options->common);
    return [options](const Report& report) { return run_revoke(*options, report); };
}

} // namespace wgkit::tool::store
