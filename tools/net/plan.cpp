#include "net/plan.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "net/convergence.hpp"
#include "net/device_lock.hpp"
#include "net/plan_json.hpp"
#include "net/plan_text.hpp"

namespace wgkit::tool::net {

namespace {

struct PlanOptions {
    std::string file;
    ConvergenceOptions convergence;
    bool json = false;
    std::optional<Option> allow_removals;
};

void add_options(Arguments arguments, PlanOptions& options) {
    auto& convergence = options.convergence;
    arguments
        .add_option("FILE", options.file,
                    "A file of wg-quick, or an interface: its file in /etc/wireguard")
        .type_name("")
        .required();
    arguments
        .add_option("-i,--interface", convergence.interface,
                    "The interface, if the file is not named after it")
        .type_name("IFACE");
    options.allow_removals = arguments
                                 .add_option("--allow-removals", convergence.allow_removals,
                                             "Remove up to N peers instead of 3 and a fifth of all")
                                 .type_name("N");
    arguments.add_flag("--keep-unmanaged", convergence.keep_unmanaged,
                       "Leave peers alone that the file does not list");
    arguments.add_flag("--set-endpoints", convergence.set_endpoints,
                       "Set endpoints of connected peers, too");
    arguments.add_flag("--json", options.json, "Print the change as JSON");
    arguments.add_flag("--insecure-permissions", convergence.insecure_permissions,
                       "Read a file that others may read");
}

std::optional<Target> load(PlanOptions& options, const Report& report) {
    options.convergence.has_allow_removals = options.allow_removals->count() != 0;
    return load_target(options.file, options.convergence.interface,
                       options.convergence.insecure_permissions, report);
}

std::optional<Convergence> prepare(Target target, const PlanOptions& options,
                                   const Report& report) {
    auto convergence = converge(std::move(target), options.convergence);
    if (convergence) return std::move(*convergence);
    report.error(convergence.error());
    return std::nullopt;
}

/// Whether the change may be made; if not, that is printed.
bool is_allowed(const Convergence& it, const ConvergenceOptions& options, const Report& report) {
    std::optional<std::size_t> removals;
    if (options.has_allow_removals) removals = options.allow_removals;
    const auto good = guard(it.wanted, it.present, it.change, removals);
    if (!good)
        report.error(fmt::format("{}: {}", it.target.path, good.error().message),
                     good.error().hint);
    return good.has_value();
}

void print_plan(const Convergence& it, bool json) {
    if (json) {
        tool::print(to_json(it));
        return;
    }
    std::fputs(to_text(it, wants_colour(STDOUT_FILENO)).c_str(), stdout);
}

int plan(PlanOptions& options, const Report& report) {
    auto target = load(options, report);
    if (!target) return exit_failed;
    const auto it = prepare(std::move(*target), options, report);
    if (!it) return exit_failed;
    print_plan(*it, options.json);
    for (const auto& text : it->unknown_endpoints) report.warning(text);
    if (!is_allowed(*it, options.convergence, report)) return exit_failed;
    return it->change.empty() ? exit_ok : exit_differences;
}

int apply(PlanOptions& options, const Report& report) {
    auto target = load(options, report);
    if (!target) return exit_failed;
    // Refuses what is no name before it becomes a part of a path.
    if (const auto device = open_device(target->interface); !device)
        return report.error(device.error());
    const auto lock = DeviceLock::take(target->interface);
    if (!lock) return report.error(lock.error());
    const auto it = prepare(std::move(*target), options, report);
    if (!it) return exit_failed;
    print_plan(*it, options.json);
    if (!is_allowed(*it, options.convergence, report)) return exit_failed;
    return carry_out(*it, report);
}

} // namespace

Action setup_plan(Arguments arguments) {
    auto options = std::make_shared<PlanOptions>();
    add_options(arguments, *options);
    return [options](const Report& report) { return plan(*options, report); };
}

Action setup_apply(Arguments arguments) {
    auto options = std::make_shared<PlanOptions>();
    add_options(arguments, *options);
    return [options](const Report& report) { return apply(*options, report); };
}

} // namespace wgkit::tool::net
