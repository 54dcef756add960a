// `wgkit fleet apply`: the plan carried out, in waves.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "commands.hpp"
#include "fleet/plan_file.hpp"
#include "fleet/plan_text.hpp"
#include "fleet/rollout.hpp"

namespace wgkit::tool::fleet {

namespace {

struct ApplyOptions {
    FleetOptions fleet;
    RolloutOptions rollout;
    std::string plan;
    std::vector<std::string> only;
    std::optional<Option> removals;
};

/// What a run of ours that was killed has left waiting on nodes goes back first.
/// True if there was something: then all has to be asked again.
bool take_back_leftovers(const std::vector<Surveyed>& nodes, Transport& transport,
                         const Record& record, const FleetOptions& options, const Report& report) {
    std::vector<Target> targets;
    std::vector<const Surveyed*> waiting;
    for (const auto& node : nodes) {
        const auto& all = node.reply.answer.interfaces;
        const bool waits = node.reply.answer.firewall_waits
                           || std::any_of(all.begin(), all.end(), [](const auto& one) {
                                  return one.pending || one.can_go_back;
                              });
        if (!waits || !record.pending.contains(node.target.name)) continue;
        targets.push_back(node.target);
        waiting.push_back(&node);
    }
    if (targets.empty()) return false;
    report.note(
        fmt::format("{} nodes still wait for an earlier run; they go back first", targets.size()));
    (void)call_all(transport, targets, options, "taking back",
                   [&](std::size_t i) { return waiting[i]->request("undo"); });
    return true;
}

void print_outcome(const Outcome& outcome, const std::vector<std::string>& unreachable, bool json) {
    if (json) {
        print(Json{{"schema", 1},
                   {"done", outcome.done},
                   {"undone", outcome.undone},
                   {"waiting", outcome.waiting},
                   {"pending", unreachable}});
        return;
    }
    const auto line = [](const char* what, const std::vector<std::string>& names) {
        if (!names.empty()) fmt::print("{}: {}\n", what, fmt::join(names, ", "));
    };
    line("changed", outcome.done);
    line("taken back", outcome.undone);
    line("not begun", outcome.waiting);
    line("pending, not reached", unreachable);
}

int run_apply(ApplyOptions& options, const Report& report) {
    options.rollout.has_removals = options.removals->count() != 0;
    auto record = Record::lock(options.fleet.nodes);
    if (!record) return report.error(record.error());
    if (!record->rotating.empty()) {
        report.error(
            fmt::format("the keys of {} are being changed", fmt::join(record->rotating, ", ")),
            "`wgkit fleet rotate` goes on with that; then apply");
        return exit_failed;
    }
    auto fleet = load_fleet(options.fleet.nodes, report);
    if (!fleet) return exit_failed;
    Transport transport{std::chrono::seconds(options.fleet.connect_timeout)};
    auto nodes = survey(*fleet, transport, options.fleet, options.only, false);
    if (nodes && take_back_leftovers(*nodes, transport, *record, options.fleet, report))
        nodes = survey(*fleet, transport, options.fleet, options.only, false);
    if (!nodes) return report.error(nodes.error());
    if (const auto refused = unsupported_nodes(*nodes)) return report.error(*refused);
    if (!options.plan.empty()) {
        const auto plan = read_plan(options.plan);
        if (!plan) return report.error(plan.error());
        if (auto held = hold_to_plan(*plan, *fleet, *nodes); !held)
            return report.error(held.error());
    }
    if (!options.fleet.json)
        std::fputs(plan_text(*fleet, *nodes, wants_colour(STDOUT_FILENO)).c_str(), stdout);
    int status = report_troubles(*nodes, report);
    std::vector<std::string> unreachable;
    for (const auto& node : *nodes) {
        if (!node.reply.is_good()) unreachable.push_back(node.target.name);
        if (node.reply.is_good() && node.changes() == 0) record->pending.erase(node.target.name);
    }
    for (const auto& name : unreachable) record->pending[name] = "apply";
    std::erase_if(
        *nodes, [](const Surveyed& node) { return !node.reply.is_good() || node.changes() == 0; });
    // Interfaces and rules that are right already are not touched.
    for (auto& node : *nodes) {
        if (node.reply.answer.firewall && node.reply.answer.firewall->changes.empty())
            node.firewall.reset();
        for (const auto& one : node.reply.answer.interfaces)
            if (one.is_up && one.file_changes.empty()
                && count_device_changes(one.device_changes) == 0)
                std::erase_if(node.files,
                              [&](const auto& file) { return file.interface == one.name; });
    }
    if (const auto refused = too_many_removals(*nodes, options.rollout.has_removals
                                                           ? std::optional(options.rollout.removals)
                                                           : std::nullopt))
        return report.error(*refused);
    if (auto saved = record->save(); !saved) return report.error(saved.error());
    if (nodes->empty()) {
        if (options.fleet.json) print_outcome({}, unreachable, true);
        return status;
    }
    std::size_t changes = 0;
    std::vector<std::string> names;
    for (const auto& node : *nodes) {
        changes += node.changes();
        names.push_back(node.target.name);
    }
    const auto outcome =
        roll_out(*nodes, transport, *record, options.fleet, options.rollout, report);
    print_outcome(outcome, unreachable, options.fleet.json);
    const bool whole = !outcome.failed && unreachable.empty();
    const auto logged =
        record->log("apply", outcome.failed ? outcome.undone : outcome.done,
                    outcome.failed ? "undone"
                    : whole        ? "done"
                                   : "pending",
                    fmt::format("{} changes on {} nodes; changed: {}{}", changes, names.size(),
                                fmt::join(outcome.done, " "),
                                unreachable.empty() ? std::string()
                                                    : fmt::format("; not reached: {}",
                                                                  fmt::join(unreachable, " "))));
    if (!logged) return report.error(logged.error());
    if (outcome.failed) status = exit_failed;
    return status;
}

} // namespace

Action setup_apply(Arguments arguments) {
    auto options = std::make_shared<ApplyOptions>();
    arguments.add_option("PLAN", options->plan, "A saved plan; by default a new one")
        .type_name("FILE");
    add_fleet_options(arguments, options->fleet);
    arguments.add_option("--only", options->only, "Only this node; may be repeated")
        .type_name("NODE");
    auto& rollout = options->rollout;
    arguments.add_option("--canary", rollout.canary, "Nodes in the first wave")
        .type_name("N")
        .range(0, 100000)
        .shows_default();
    arguments.add_option("--wave", rollout.wave, "Nodes in each later wave")
        .type_name("N")
        .range(1, 100000)
        .shows_default();
    arguments
        .add_option("--confirm", rollout.confirm,
                    "Seconds after which a node that nobody confirms goes back; 0: never")
        .type_name("SECONDS")
        .range(0, 3600)
        .shows_default();
    arguments
        .add_option("--patience", rollout.patience,
                    "Seconds that peers may take to answer after a change")
        .type_name("SECONDS")
        .range(1, 600)
        .shows_default();
    options->removals = arguments
                            .add_option("--allow-removals", rollout.removals,
                                        "Remove up to N peers of a node instead of 3 and a fifth")
                            .type_name("N");
    return [options](const Report& report) { return run_apply(*options, report); };
}

} // namespace wgkit::tool::fleet
