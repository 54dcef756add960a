#include <fmt/format.h>

#include "common/json.hpp"
#include "store/commands.hpp"
#include "store/common.hpp"
#include "wgkit/fleet.hpp"

namespace wgkit::tool::store {

namespace {

struct ApplyCommandOptions {
    StoreCommandOptions common;
    std::string nodes = "nodes.yaml";
    std::string stale_policy;
    std::uint32_t canary = 1;
    std::uint32_t wave = 10;
    std::uint32_t patience = 60;
    bool withdraw = false;
};

Json plan_json(const wgkit::agent::PublishPlan& plan) {
    Json changes = Json::array();
    for (const auto& change : plan.changes)
        changes.push_back({{"node", change.node},
                           {"lines", wgkit::fleet::compare_files(change.before, change.after)}});
    return {{"schema", 1},
            {"added", plan.published.added},
            {"changed", plan.published.changed},
            {"removed", plan.published.removed},
            {"under_way", plan.is_under_way},
            {"changes", changes}};
}

void print_plan(const wgkit::agent::PublishPlan& plan) {
    for (const auto& change : plan.changes) {
        fmt::print("{}\n", change.node);
        for (const auto& line : wgkit::fleet::compare_files(change.before, change.after))
            fmt::print("  {}\n", line);
    }
    fmt::print("{} nodes, {} added, {} changed, {} removed; {} agents have something to change\n",
               plan.published.nodes, plan.published.added.size(), plan.published.changed.size(),
               plan.published.removed.size(), plan.changes.size());
}

/// Calls `act` with the operator, the inventory and what it would change.
template <class Act>
int with_plan(const ApplyCommandOptions& options, const Report& report, Act&& act) {
    auto fleet = load_inventory(options.nodes, report);
    if (!fleet) return exit_failed;
    return with_operator(options.common, report, [&](const wgkit::agent::Operator& op) {
        const auto plan = wgkit::agent::plan_publish(op, *fleet, drops(options.stale_policy));
        if (!plan) return report.error(plan.error());
        if (plan->published.left_hooks_out) warn_of_hooks(report);
        return act(op, *fleet, *plan);
    });
}

int run_plan(const ApplyCommandOptions& options, const Report& report) {
    return with_plan(options, report, [&](const auto&, const auto&, const auto& plan) {
        if (options.common.json)
            print(plan_json(plan));
        else
            print_plan(plan);
        const auto& published = plan.published;
        const bool is_same = plan.changes.empty() && published.added.empty()
                             && published.changed.empty() && published.removed.empty();
        return static_cast<int>(is_same ? exit_ok : exit_differences);
    });
}

int run_apply(const ApplyCommandOptions& options, const Report& report) {
    if (options.withdraw)
        return with_operator(options.common, report, [&](const wgkit::agent::Operator& op) {
            const auto done = wgkit::agent::withdraw_waves(op);
            return done ? static_cast<int>(exit_ok) : report.error(done.error());
        });
    return with_plan(options, report, [&](const auto& op, const auto& fleet, const auto& plan) {
        std::vector<std::string> names;
        for (const auto& change : plan.changes) names.push_back(change.node);
        wgkit::agent::WaveOptions waves;
        waves.drop_unrefreshed = drops(options.stale_policy);
        waves.waves = wgkit::fleet::plan_waves(names, options.canary, options.wave);
        waves.patience = std::chrono::seconds(options.patience);
        waves.tell = [&report](const std::string& text) { report.note(text); };
        const auto done = wgkit::agent::apply_waves(op, fleet, waves);
        if (!done) return report.error(done.error());
        if (options.common.json)
            print({{"schema", 1}, {"revision", done->revision}, {"changed", names}});
        else
            fmt::print("revision {}: {} agents changed, in {} waves\n", done->revision,
                       names.size(), waves.waves.size());
        return static_cast<int>(exit_ok);
    });
}

void add_inventory(Arguments arguments, ApplyCommandOptions& options) {
    arguments.add_option("file", options.nodes, "The inventory; its lock is beside it")
        .type_name("FILE")
        .shows_default();
    add_home(arguments, options.common);
    add_stale_policy(arguments, options.stale_policy);
    add_json(arguments, options.common);
}

} // namespace

Action setup_plan(Arguments arguments) {
    auto options = std::make_shared<ApplyCommandOptions>();
    add_inventory(arguments, *options);
    return [options](const Report& report) { return run_plan(*options, report); };
}

Action setup_apply(Arguments arguments) {
    auto options = std::make_shared<ApplyCommandOptions>();
    add_inventory(arguments, *options);
    add_validity(arguments, options->common);
    arguments.add_option("--canary", options->canary, "Nodes in the first wave")
        .type_name("N")
        .range(0, 100000)
        .shows_default();
    arguments.add_option("--wave", options->wave, "Nodes in each later wave")
        .type_name("N")
        .range(1, 100000)
        .shows_default();
    arguments.add_option("--patience", options->patience, "How long a wave may take to be well")
        .type_name("SECONDS")
        .range(1, 86400)
        .shows_default();
    arguments.add_flag("--withdraw", options->withdraw,
                       "Take back a change of which some waves were published");
    return [options](const Report& report) { return run_apply(*options, report); };
}

} // namespace wgkit::tool::store
